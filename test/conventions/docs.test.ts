import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { pages } from '../../src/docs/pages.ts'
import { ERRORS, type ErrorCode } from '../../src/error-catalogue.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const text = (file: string): string => readFileSync(join(root, file), 'utf8').replaceAll('\r\n', '\n')

test('the pages written from the code are those that the code gives now', async () => {
  for (const [file, expected] of await pages(root))
    assert.equal(text(file), expected, `${file} is out of date: run npm run docs`)
})

test('every code of the catalogue is used, and every code that is used stands in it', () => {
  const files = globSync('src/**/*.{ts,tsx}', { cwd: root, exclude: (name) => name === 'dist' })
  const sources = files
    .filter((file) => !/error-catalogue|lake.errors\.ts$/.test(file))
    .map((file) => text(file))
    .join('\n')
  const unused = (Object.keys(ERRORS) as ErrorCode[]).filter(
    (code) => !new RegExp(`\\b${code}\\b["':]`).test(sources),
  )
  assert.deepEqual(unused, [])
  const thrown = [
    ...sources.matchAll(/new (?:PlatformError|LakeError|Refusal)\(\s*'(\w+)'/g),
    ...files
      .filter((file) => /6-serve/.test(file))
      .flatMap((file) => [...text(file).matchAll(/new ApiError\(\s*'(\w+)'/g)]),
  ].map((match) => match[1]!)
  assert.ok(thrown.length > 100, `${thrown.length} places found`)
  assert.deepEqual(
    thrown.filter((code) => !Object.hasOwn(ERRORS, code)),
    [],
  )
})

test('links between the pages lead somewhere', () => {
  const wrong = globSync(['*.md', 'docs/**/*.md'], { cwd: root }).flatMap((file) =>
    [...text(file).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map((match) => match[1]!)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => globSync(join(file, '..', link).replaceAll('\\', '/'), { cwd: root }).length === 0)
      .map((link) => `${file} → ${link}`),
  )
  assert.deepEqual(wrong, [])
})
