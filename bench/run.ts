/** `npm run bench -- NAME …`: runs `bench/<name>.ts`, or all of them. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const known = readdirSync(here)
  .filter((file) => file.endsWith('.ts') && !['run.ts', 'rows.ts'].includes(file))
  .map((file) => file.slice(0, -3))
const named = process.argv.slice(2)
const unknown = named.find((name) => !known.includes(name))
if (unknown !== undefined) {
  console.error(`There is no benchmark "${unknown}". Known: ${known.join(', ')}.`)
  process.exit(2)
}
for (const name of named.length > 0 ? named : known) {
  const { status } = spawnSync(process.execPath, [join(here, `${name}.ts`)], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
