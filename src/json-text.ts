/** JSON as text: what devices write that is not quite JSON, and the untouched texts inside an array. */

const BYTE_ORDER_MARK = '\uFEFF'

/**
 * Strict JSON; else, the same text with a byte order mark passed over and each bare `NaN` or `Infinity` put as an
 * empty list, which is of the wrong kind for every field: one bad number does not take the other fields with it.
 */
export function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    const mended = text
      .replace(BYTE_ORDER_MARK, '')
      .replace(STRING_OR_NOT_A_NUMBER, (token) => (token.startsWith('"') ? token : '[]'))
    if (mended === text) return undefined
    try {
      const value = JSON.parse(mended) as unknown
      return Array.isArray(value) && value.length === 0 ? undefined : { value }
    } catch {
      return undefined
    }
  }
}

const STRING_OR_NOT_A_NUMBER = /"(?:[^"\\]|\\.)*"|[-+]?\b(?:nan|inf|infinity)\b/gi

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const OPENING = new Set([0x5b, 0x7b])
const CLOSING = new Set([0x5d, 0x7d])

/** The untouched texts of the elements of a valid JSON array. */
export function elementTexts(text: string): string[] {
  const elements: string[] = []
  let depth = 0
  let inString = false
  let from = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (inString) {
      if (code === BACKSLASH) at++
      else if (code === QUOTE) inString = false
    } else if (code === QUOTE) inString = true
    else if (OPENING.has(code)) {
      if (++depth === 1) from = at + 1
    } else if (CLOSING.has(code)) {
      if (--depth === 0) elements.push(text.slice(from, at).trim())
    } else if (code === COMMA && depth === 1) {
      elements.push(text.slice(from, at).trim())
      from = at + 1
    }
  }
  return elements
}
