/** The value templates of discovery messages that read one value; all others are not computed. Documentation: Home Assistant, templating. */

/** Where in a message a value stands, and by what it is multiplied. An empty path is the whole message. */
export interface ValuePath {
  path: readonly string[]
  factor: number
}

const FILTER = String.raw`(?:\s*\|\s*(?:float|int|round|is_defined|default|string|tojson|lower|upper)(?:\([^()|]{0,40}\))?)*`
const TEMPLATE = new RegExp(
  String.raw`^\{\{-?\s*\(?\s*(value_json|value)((?:\.[A-Za-z_][\w-]*|\[\s*(?:'[^']*'|"[^"]*"|\d+)\s*\])*)${FILTER}\s*\)?\s*(?:([*/])\s*(\d+(?:\.\d+)?))?\s*\)?${FILTER}\s*-?\}\}$`,
)
const STEP = /\.([A-Za-z_][\w-]*)|\[\s*(?:'([^']*)'|"([^"]*)"|(\d+))\s*\]/g
const MAX_TEMPLATE_CHARS = 300

/** Undefined where the template does more than to read a value and scale it. */
export function readTemplate(template: unknown): ValuePath | undefined {
  if (template === undefined || template === null || template === '') return { path: [], factor: 1 }
  if (typeof template !== 'string' || template.length > MAX_TEMPLATE_CHARS) return undefined
  const match = TEMPLATE.exec(template.trim())
  if (!match) return undefined
  const [, root, steps = '', operator, operand] = match
  if (root === 'value' && steps !== '') return undefined
  const path = [...steps.matchAll(STEP)].map((step) => (step[1] ?? step[2] ?? step[3] ?? step[4])!)
  const number = operand === undefined ? 1 : Number(operand)
  if (number === 0) return undefined
  return { path, factor: operator === '/' ? 1 / number : number }
}

/** The value at a path of objects and lists. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  let inner = value
  for (const step of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, step)) return undefined
    inner = (inner as Record<string, unknown>)[step]
  }
  return inner
}
