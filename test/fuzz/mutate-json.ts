/** Entries of a table's log whose actions are others, of other shapes, or twice. */
import type { Random } from '../chaos/random.ts'

/** What stands in the place of another value: other types, other sizes, and ways out of the folder. */
const ODD: readonly Json[] = [
  null,
  true,
  -1,
  0,
  0.5,
  1e308,
  2 ** 53,
  [],
  {},
  [[[]]],
  { a: { b: {} } },
  { minReaderVersion: 99, minWriterVersion: 99 },
  { type: 'struct', fields: [{ name: 'room', type: 'string', nullable: true, metadata: {} }] },
  '',
  '\0',
  'x'.repeat(5_000),
  '../../../beside/day=2026-01-01/secret.parquet',
  '%2e%2e/%2e%2e/%2e%2e/beside/day=2026-01-01/secret.parquet',
]
const ODD_TEXTS: readonly Json[] =
  `x|/etc/passwd|file:///etc/passwd|s3://bucket/key|C:\\x|it's|a"b|*|**/*.parquet|?|__proto__|constructor|NaN|bigint|void|2026-13-45|-999999-01-01`.split(
    '|',
  )

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

const odd = (random: Random): Json => random.pick(random() < 0.5 ? ODD : ODD_TEXTS)

/** One place of the value is replaced, removed or doubled; texts that hold JSON are opened. */
function changed(value: Json, random: Random): Json {
  if (typeof value === 'string' && /^[[{]/.test(value) && random() < 0.8) {
    const inner = parsed(value)
    if (inner !== undefined) return JSON.stringify(changed(inner, random))
  }
  if (typeof value !== 'object' || value === null || random() < 0.1) return odd(random)
  if (Array.isArray(value)) {
    const items = value as readonly Json[]
    if (items.length === 0 || random() < 0.2) return [...items, odd(random)]
    const at = Math.floor(random() * items.length)
    return random() < 0.2 ? items.toSpliced(at, 1) : items.with(at, changed(items[at]!, random))
  }
  const members = value as { readonly [key: string]: Json }
  const keys = Object.keys(members)
  if (keys.length === 0) return { a: odd(random) }
  const key = random.pick(keys)
  const { [key]: old = null, ...rest } = members
  return random() < 0.2 ? rest : { ...members, [key]: changed(old, random) }
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

/** Made of the entries among the seeds that are whole. */
export function spoilEntry(seeds: readonly Buffer[], random: Random): Buffer {
  const entries = seeds.flatMap((seed) => {
    const lines = seed.toString().trim().split('\n').map(parsed)
    return lines.every((line) => line !== undefined) ? [lines] : []
  })
  let actions = random.pick(entries)
  for (let left = 1 + Math.floor(random() * 3); left > 0; left--) {
    const at = Math.floor(random() * actions.length)
    if (random() < 0.15) actions = [...actions, random.pick(random.pick(entries))]
    else actions = actions.with(at, changed(actions[at] ?? null, random))
  }
  return Buffer.from(actions.map((action) => JSON.stringify(action ?? null)).join('\n'))
}
