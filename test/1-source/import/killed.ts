/** Imports one file in a process of its own, which is meant to be killed; prints a line for each batch. */
import { writeSync } from 'node:fs'
import { understandFiles, type ImportProgress } from '../../../src/1-source/import/check.ts'
import { importFiles } from '../../../src/1-source/import/import.ts'
import { openEmbeddedLog } from '../../../src/2-stream/embedded.ts'

const [streamDir, path] = process.argv.slice(2)
const log = await openEmbeddedLog({ dir: streamDir! })
const onProgress = ({ phase, rows }: ImportProgress): number => writeSync(1, `${phase} ${rows}\n`)
const files = await understandFiles({ paths: [path!], timeZone: 'UTC', onProgress })
const report = await importFiles(files, { log, ledgerDir: streamDir!, onProgress })
writeSync(1, `done ${report.taken}\n`)
await log.close()
