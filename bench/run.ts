/** `npm run bench -- NAME … [--large]`: runs `bench/<name>.ts`, or all of them; `--large`: the cases that take minutes, too. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const known = readdirSync(here)
  .filter((file) => file.endsWith('.ts') && !['run.ts', 'rows.ts', 'history.ts', 'layers.ts'].includes(file))
  .map((file) => file.slice(0, -3))
const words = process.argv.slice(2)
const named = words.filter((word) => !word.startsWith('--'))
const options = words.filter((word) => word.startsWith('--'))
const unknown = named.find((name) => !known.includes(name))
if (unknown !== undefined) {
  console.error(`There is no benchmark "${unknown}". Known: ${known.join(', ')}.`)
  process.exit(2)
}
for (const name of named.length > 0 ? named : known) {
  const { status } = spawnSync(process.execPath, [join(here, `${name}.ts`), ...options], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
