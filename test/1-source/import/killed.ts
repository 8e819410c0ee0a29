/** Imports one file in a process of its own, which is meant to be killed; prints a line for each batch. */
import { writeSync } from 'node:fs'
import { importFiles } from '../../../src/1-source/import/import.ts'
import { openEmbeddedLog } from '../../../src/2-stream/embedded.ts'

const [streamDir, path] = process.argv.slice(2)
const log = await openEmbeddedLog({ dir: streamDir! })
const report = await importFiles({
  paths: [path!],
  log,
  ledgerDir: streamDir!,
  timeZone: 'UTC',
  onProgress: ({ phase, rows }) => writeSync(1, `${phase} ${rows}\n`),
})
writeSync(1, `done ${report.taken}\n`)
await log.close()
