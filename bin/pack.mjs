// Makes the package's own folder before `npm pack`, and removes it after: lib/ is the program with its types stripped, since Node
// strips none below node_modules, and with the dashboard built.
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const lib = join(root, 'lib')

rmSync(lib, { recursive: true, force: true })
if (process.argv[2] !== 'clean') pack()

function pack() {
  const build = spawnSync(process.execPath, [join(root, 'bin', 'smarthouse.mjs'), 'build'], {
    stdio: 'inherit',
  })
  if (build.status !== 0) process.exit(1)
  // Of the dashboard's folder only what the server needs; of the documentation's, nothing.
  const files = globSync('**/*.{ts,sql}', { cwd: join(root, 'src') })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !file.startsWith('docs/'))
    .filter((file) => !file.startsWith('7-dashboard/') || file === '7-dashboard/build.ts')
  for (const file of files) {
    const text = readFileSync(join(root, 'src', file), 'utf8')
    const target = join(lib, file.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, file.endsWith('.ts') ? compiled(text) : text)
  }
  cpSync(join(root, 'src', '7-dashboard', 'dist'), join(lib, '7-dashboard', 'dist'), { recursive: true })
}

/** JavaScript, with the names of the files that it imports. */
function compiled(text) {
  return stripTypeScriptTypes(text, { mode: 'strip' }).replaceAll(
    /(\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)(['"])(\.[^'"\n]+)\.ts\2/g,
    '$1$2$3.js$2',
  )
}
