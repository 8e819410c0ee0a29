import { z } from 'zod'
import { isLive } from '../config-reload.ts'
import { CONFIG_SCHEMA } from '../config.ts'
import { table } from './markdown.ts'

/** What JSON Schema says of a key, with the unit that the schema adds. */
interface Node {
  type?: string
  description?: string
  unit?: string
  default?: unknown
  enum?: string[]
  minimum?: number
  maximum?: number
  properties?: Record<string, Node>
  items?: Node
  required?: string[]
  anyOf?: Node[]
  const?: unknown
}

interface Key {
  path: string
  node: Node
  isRequired: boolean
}

const INTRODUCTION = `# Configuration

Written by \`npm run docs\` from \`src/config.ts\`; a test holds the two together.

\`config/smarthouse.yaml\`, or the file named by \`--config\`. Every key is optional unless it says *required*. Every key outside
a list can come from the environment too, which wins: \`SMARTHOUSE_\` and the path in capitals, with \`_\` between its parts:
\`SMARTHOUSE_SERVER_PORT=8600\`. An unknown key is refused with its line and the nearest known one.

Durations are written as \`250ms\`, \`30s\`, \`5m\`, \`1h\`, \`7d\`; a schedule is \`continuous\`, an interval such as \`2m\`, or (Silver
and Gold) \`1h full\`, a rebuild every hour. Paths start at the folder of the file. \`[]\` is each entry of a list.

**Live** says *yes* where a platform that runs (\`up\`) takes the change within seconds: it starts the parts again that read the key, and
nothing is lost by that. Any other key counts from the next start on, which the log says; until then all parts go on with the
configuration that was taken last, also one that fails and comes back. The catalogue and the billing data are read again whenever their files change. A changed file that is wrong is said in the log and not taken.
`

/** docs/configuration.md, from the schema. */
export function configurationPage(): string {
  const schema = z.toJSONSchema(CONFIG_SCHEMA, { io: 'input', unrepresentable: 'any' }) as Node
  const keys = leaves(schema, '', false)
  const sections = Map.groupBy(keys, ({ path }) => (path.includes('.') ? path.split('.', 1)[0]! : ''))
  return `${INTRODUCTION}
${[...sections].map(([section, own]) => `## ${section === '' ? 'The house' : section}\n\n${keysTable(own)}`).join('\n')}`
}

function leaves(node: Node, path: string, isRequired: boolean): Key[] {
  if (node.properties)
    return Object.entries(node.properties).flatMap(([name, child]) =>
      leaves(
        child,
        path === '' ? name : `${path}.${name}`,
        path.endsWith('[]') && (node.required ?? []).includes(name),
      ),
    )
  const own = { path, node, isRequired }
  return node.items?.properties ? [own, ...leaves(node.items, `${path}[]`, false)] : [own]
}

function keysTable(keys: readonly Key[]): string {
  const rows = keys.map(({ path, node, isRequired }) => [
    `\`${path}\``,
    kindOf(node),
    isRequired ? '*required*' : defaultOf(path, node),
    isLive(path) ? 'yes' : 'no',
    node.description ?? '',
  ])
  return table(['key', 'value', 'default', 'live', 'meaning'], rows)
}

function kindOf(node: Node): string {
  if (node.enum) return node.enum.map((value) => `\`${value}\``).join(', ')
  if (node.anyOf) return node.anyOf.map((one) => `\`${String(one.const)}\``).join(', ')
  const kind = node.items?.properties
    ? 'list of sections'
    : node.items
      ? 'list of texts'
      : { string: 'text', integer: 'whole number', number: 'number', boolean: '`true`, `false`' }[
          node.type ?? 'string'
        ]!
  const unit = node.unit === undefined ? '' : node.type === 'string' ? node.unit : `${kind}, ${node.unit}`
  return (unit === '' ? kind : unit) + rangeOf(node)
}

function rangeOf({ minimum, maximum }: Node): string {
  const low = minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined
  const high = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined
  if (low === undefined) return ''
  return high === undefined ? `, at least ${low}` : `, ${low} to ${high}`
}

function defaultOf(path: string, { default: value }: Node): string {
  if (path === 'time_zone') return "the computer's"
  if (value === undefined) return 'none'
  if (Array.isArray(value)) return value.length === 0 ? 'none' : `\`${JSON.stringify(value)}\``
  return value === '' ? 'empty' : `\`${String(value)}\``
}
