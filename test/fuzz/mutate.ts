/** Hostile inputs, made from good ones: cut, doubled, spliced, with what breaks parsers put in between. */
import type { Random } from '../chaos/random.ts'

const HOSTILE: readonly Buffer[] = [
  '\0',
  '\uFEFF',
  '\u202E',
  '\u001e',
  '"',
  "'; DROP TABLE bronze.telemetry; --",
  '\\',
  '\r\n\r\n',
  '[['.repeat(2_000),
  '{"a":'.repeat(2_000),
  '9'.repeat(400),
  '1e999',
  '-0',
  'NaN',
  '2147483648',
  '9223372036854775808',
  '__proto__',
  'constructor',
  '../../../etc/passwd',
  '%2e%2e%2f',
  '%',
  '*',
  '&a &a *a',
  '!!js/function',
  '9999-99-99T99:99:99Z',
  '-271821-04-20T00:00:00.000Z',
  'x'.repeat(70_000),
  '😀',
  ',,,,,,,,',
  '$$',
]
  .map((text) => Buffer.from(text))
  .concat([Buffer.from([0xff, 0xfe]), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from([0x1f, 0x8b, 8, 0])])

/** One to six changes of one of the seeds. */
export function mutated(seeds: readonly Buffer[], random: Random): Buffer {
  let bytes = random.pick(seeds)
  for (let left = 1 + Math.floor(random() * 6); left > 0; left--) bytes = changed(bytes, seeds, random)
  return bytes
}

function changed(bytes: Buffer, seeds: readonly Buffer[], random: Random): Buffer {
  const at = Math.floor(random() * (bytes.length + 1))
  const to = Math.min(bytes.length, at + Math.floor(random() * 24))
  const [before, some, after] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)]
  switch (Math.floor(random() * 7)) {
    case 0:
      return Buffer.concat([before, random.pick(HOSTILE), after])
    case 1:
      return Buffer.concat([before, after])
    case 2:
      return Buffer.concat([before, some, some, after])
    case 3:
      return before
    case 4: {
      const other = random.pick(seeds)
      return Buffer.concat([before, other.subarray(Math.floor(random() * other.length))])
    }
    case 5: {
      const flipped = Buffer.from(bytes)
      if (at < flipped.length) flipped[at] = flipped[at]! ^ (1 << Math.floor(random() * 8))
      return flipped
    }
    default:
      return Buffer.concat([before, random.pick(HOSTILE), some, random.pick(HOSTILE), after])
  }
}
