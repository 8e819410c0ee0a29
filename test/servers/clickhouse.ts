/** ClickHouse, in a process: `chdb` from npm, installed beside the project. */
import { join, parse } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startAnswering, type Answering } from './answering.ts'
import { folderOf, runToEnd, type Installation } from './installed.ts'

const VERSION = '3.4.0'

export const CHDB: Installation = {
  name: `chdb-${VERSION}`,
  install(folder) {
    const words = [
      'install',
      '--prefix',
      '.',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      `chdb@${VERSION}`,
    ]
    runToEnd('npm', words, folder)
  },
}

/** Questions: the text of a query. */
export function startClickHouse(): Answering {
  const program = fileURLToPath(new URL('./clickhouse-answers.cjs', import.meta.url))
  const module = join(folderOf(CHDB), 'node_modules', 'chdb')
  // It reads only files below the folder that it was started in.
  return startAnswering(process.execPath, [program, module], parse(module).root)
}
