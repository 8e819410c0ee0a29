/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |\n`
  return `${line(head)}|${'---|'.repeat(head.length)}\n${rows.map(line).join('')}`
}

/** The text between two marks of a page, replaced. Throws where the marks are not there. */
export function between(page: string, mark: string, text: string): string {
  const begin = `<!-- ${mark}: written by npm run docs -->\n`
  const end = `<!-- end of ${mark} -->`
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new TypeError(`The page has no marks of ${mark}.`)
  return `${page.slice(0, from + begin.length)}${text}${page.slice(to)}`
}
