/** Files that a folder or a pattern gives: all that are telemetry, and a word on the others. */
import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { isPlatformError } from '../../../src/errors.ts'
import { openImportHouse, type ImportHouse } from './house.ts'

const withCode = (code: string) => (error: unknown) => isPlatformError(error) && error.code === code

let house: ImportHouse
beforeEach(async () => {
  house = await openImportHouse()
})
afterEach(() => house.remove())

test('folders and patterns are expanded, each file once, other files in them left alone', async () => {
  house.file('x/one.csv', 'timestamp,power_usage\n1705314600,1\n')
  house.file('x/deep/two.csv.gz', gzipSync('timestamp,power_usage\n1705314601,1\n'))
  house.file('x/README.md', 'read me')
  const files = join(house.dir, 'files')
  const report = await house.import([
    join(files, 'x'),
    join(files, '**', '*.csv'),
    join(files, 'x', 'one.csv'),
  ])
  assert.deepEqual(report.files.map((file) => file.device).toSorted(), ['one', 'two'])
  assert.equal(report.appended, 2)
  assert.deepEqual(report.refused, [])
})

test('a file of a folder that is no telemetry is named and left out, the others are taken; one that is named itself stops all', async () => {
  house.file('y/good.csv', 'timestamp,power_usage\n1705314600,1\n')
  const letter = house.file('y/letter.csv', 'Dear reader,\nthis is a letter\n')
  const cut = house.file(
    'y/deep/cut.csv.gz',
    gzipSync('timestamp,power_usage\n1705314601,1\n').subarray(0, -12),
  )
  const folder = join(house.dir, 'files', 'y')
  await assert.rejects(house.import([folder, letter]), withCode('file_not_telemetry'))
  assert.deepEqual(await house.readings(), [])
  const report = await house.import(folder)
  assert.deepEqual(
    report.files.map(({ device }) => device),
    ['good'],
  )
  assert.deepEqual(
    report.refused.map(({ path }) => path),
    [cut, letter],
  )
  assert.match(report.refused[0]!.why, /ends in the middle/)
  assert.match(report.refused[1]!.why, /letter\.csv cannot be read as telemetry/)
  assert.equal(report.appended, 1)
  const prose = dirname(house.file('z/only.csv', 'Nothing but prose\n'))
  await assert.rejects(house.import(prose), withCode('file_not_telemetry'))
})
