/** The value templates of discovery messages that read one value; all others are not computed. Documentation: Home Assistant, templating. */

/** Where in a message a value stands, and by what it is multiplied. An empty path is the whole message. */
export interface ValuePath {
  path: readonly string[]
  factor: number
  /** The words that stand for what is so, and for what is not. */
  words?: readonly [yes: string, no: string]
}

const FILTER = String.raw`(?:\s*\|\s*(?:float|int|round|is_defined|default|string|tojson|lower|upper)(?:\([^()|]{0,40}\))?)*`
const TEMPLATE = new RegExp(
  String.raw`^\{\{-?\s*\(?\s*(value_json|value)((?:\.[A-Za-z_][\w-]*|\[\s*(?:'[^']*'|"[^"]*"|\d+)\s*\])*)${FILTER}\s*\)?\s*(?:([*/])\s*(\d+(?:\.\d+)?))?\s*\)?${FILTER}\s*-?\}\}$`,
)
const PATH = String.raw`(?:\.[A-Za-z_][\w-]*|\[\s*(?:'[^']*'|"[^"]*"|\d+)\s*\])*`
/** `{% if value_json.x %}ON{% else %}OFF{% endif %}`, and the same as an expression. */
const CHOICE = new RegExp(
  String.raw`^\{%-?\s*if\s+value_json(${PATH})\s*-?%\}([\w ]{1,20})\{%-?\s*else\s*-?%\}([\w ]{1,20})\{%-?\s*endif\s*-?%\}$`,
)
const EXPRESSION = new RegExp(
  String.raw`^\{\{-?\s*(['"])([\w ]{1,20})\1\s+if\s+value_json(${PATH})\s+else\s+(['"])([\w ]{1,20})\4\s*-?\}\}$`,
)
const STEP = /\.([A-Za-z_][\w-]*)|\[\s*(?:'([^']*)'|"([^"]*)"|(\d+))\s*\]/g
const MAX_TEMPLATE_CHARS = 300

const WHOLE: ValuePath = { path: [], factor: 1 }
/** Devices of one kind announce themselves with the same templates. */
const read = new Map<string, ValuePath | null>()
const MAX_READ = 5_000

/** Undefined where the template does more than to read a value and scale it. */
export function readTemplate(template: unknown): ValuePath | undefined {
  if (template === undefined || template === null || template === '') return WHOLE
  if (typeof template !== 'string' || template.length > MAX_TEMPLATE_CHARS) return undefined
  let path = read.get(template)
  if (path === undefined) {
    path = compile(template.trim()) ?? null
    if (read.size >= MAX_READ) read.clear()
    read.set(template, path)
  }
  return path ?? undefined
}

function compile(text: string): ValuePath | undefined {
  const choice = CHOICE.exec(text)
  if (choice) return { path: stepsOf(choice[1]!), factor: 1, words: [choice[2]!.trim(), choice[3]!.trim()] }
  const expression = EXPRESSION.exec(text)
  if (expression) return { path: stepsOf(expression[3]!), factor: 1, words: [expression[2]!, expression[5]!] }
  const match = TEMPLATE.exec(text)
  if (!match) return undefined
  const [, root, steps = '', operator, operand] = match
  if (root === 'value' && steps !== '') return undefined
  const path = stepsOf(steps)
  const number = operand === undefined ? 1 : Number(operand)
  if (number === 0) return undefined
  return { path, factor: operator === '/' ? 1 / number : number }
}

function stepsOf(steps: string): string[] {
  return [...steps.matchAll(STEP)].map((step) => (step[1] ?? step[2] ?? step[3] ?? step[4])!)
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
