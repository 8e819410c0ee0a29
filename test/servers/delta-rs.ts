/** delta-rs, a Delta Lake in Rust, through its Python package; DataFusion runs its queries. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startAnswering, type Answering } from './answering.ts'
import { folderOf, runToEnd, type Installation } from './installed.ts'

const VERSION = '1.6.6'

export const DELTALAKE: Installation = {
  name: `deltalake-${VERSION}`,
  install(folder) {
    runToEnd(process.platform === 'win32' ? 'python' : 'python3', ['-m', 'venv', '.'], folder)
    runToEnd(
      pythonIn(folder),
      ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', `deltalake==${VERSION}`],
      folder,
    )
  },
}

function pythonIn(folder: string): string {
  return process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python')
}

/** Questions: `{do: 'read', path, sql, version?}`, where the query calls the table `t`, and others of delta-rs.py. */
export function startDeltaRs(): Answering {
  const program = fileURLToPath(new URL('./delta-rs.py', import.meta.url))
  const folder = folderOf(DELTALAKE)
  return startAnswering(pythonIn(folder), [program], folder)
}
