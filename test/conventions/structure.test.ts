import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const files = globSync('src/**/*.{ts,tsx}', { cwd: root, exclude: (name) => name === 'dist' }).map((file) =>
  file.replaceAll('\\', '/'),
)
const imports = (file: string): string[] =>
  [
    ...readFileSync(join(root, file), 'utf8').matchAll(
      /(?:^|\n)\s*(?:import|export)\b[^'"\n]*?(?:\bfrom\s*)?['"](\.[^'"]+)['"]/g,
    ),
  ].map((match) => join(file, '..', match[1]!).replaceAll('\\', '/'))
const layerOf = (file: string): number | null => {
  const match = /^src\/(\d)-/.exec(file)
  return match ? Number(match[1]) : null
}

/** What a folder shows to the folders above it: its port, its types, its tables, its constants. */
const PORTS = /\/(log|source|tables|types|rules|contract[\w-]*)\.ts$/
/** Root files that know the whole; nothing in a numbered folder may import them. */
const WHOLE =
  /^src\/(main|cli|verify|config-file|config-reload|config|data-folder|commands\/.*|run\/.*|docs\/.*|doctor\/.*|upgrade\/.*)(\.ts)?$/

test('data flows one way: folder N imports itself, the ports of lower folders, lake, reference and root files', () => {
  const wrong: string[] = []
  for (const file of files) {
    const layer = layerOf(file)
    if (layer === null) continue
    for (const target of imports(file)) {
      const other = layerOf(target)
      if (WHOLE.test(target)) wrong.push(`${file} imports ${target}, which knows the whole`)
      else if (other !== null && other > layer) wrong.push(`${file} imports ${target}, which is above it`)
      else if (other !== null && other < layer && !PORTS.test(target))
        wrong.push(`${file} imports ${target}, which is no port`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('the lake imports nothing of the project', () => {
  const wrong = files
    .filter((file) => file.startsWith('src/lake/'))
    .flatMap((file) => imports(file).map((target) => ({ file, target })))
    .filter(({ target }) => !target.startsWith('src/lake/'))
  assert.deepEqual(wrong, [])
})

test('the browser imports types only from the server', () => {
  const wrong = files
    .filter((file) => file.startsWith('src/7-dashboard/'))
    .flatMap((file) =>
      [
        ...readFileSync(join(root, file), 'utf8').matchAll(
          /import\s+(?!type\b)[^'"]*['"][^'"]*6-serve[^'"]*['"]/g,
        ),
      ].map(() => file),
    )
  assert.deepEqual(wrong, [])
})

test('only main.ts and the commands name adapters', () => {
  const adapters = /2-stream\/(embedded|kafka)\.ts$/
  const wrong = files
    .filter((file) => file !== 'src/main.ts' && !file.startsWith('src/2-stream/'))
    .flatMap((file) =>
      imports(file)
        .filter((target) => adapters.test(target))
        .map((target) => `${file}: ${target}`),
    )
  assert.deepEqual(wrong, [])
})

test('nothing waits by waitForFunction: what it evaluates after the first time, the content security policy refuses', () => {
  const wrong = globSync('{test,bench}/**/*.ts', { cwd: root }).filter((file) =>
    /\.waitForFunction\(/.test(readFileSync(join(root, file), 'utf8')),
  )
  assert.deepEqual(wrong, [])
})
