/** `npm run docs`: writes the pages that come from the code. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pages } from './pages.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
for (const [file, text] of await pages(root)) {
  writeFileSync(join(root, file), text)
  console.log(file)
}
