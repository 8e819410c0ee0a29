// Whether what the lockfile names is installed. Plain JavaScript, since it runs before anything is.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/** The packages that a lockfile names, as path → entry; a folder that is not there has none. */
function packagesOf(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {}
}

/** The packages that are missing or of another version than they should be. */
export function missingPackages(root) {
  const lockfile = join(root, 'package-lock.json')
  if (!existsSync(lockfile)) return missingDependencies(root)
  // npm writes down what it installed, last of all; it is held against what should be there, and what is.
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'))
  // Compiled, it needs nothing of what it was developed with.
  const isCompiled = !existsSync(join(root, 'src', 'cli.ts'))
  return Object.entries(packagesOf(lockfile))
    .filter(([path, entry]) => path !== '' && !entry.optional && !(isCompiled && entry.dev))
    .filter(([path, { version }]) => installed[path]?.version !== version || !existsSync(join(root, path)))
    .map(([path]) => path.replace(/^.*node_modules\//, ''))
}

/** An installed package has no lockfile: what it needs lies beside it or above. */
function missingDependencies(root) {
  const require = createRequire(join(root, 'package.json'))
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return Object.keys(dependencies).filter((name) =>
    (require.resolve.paths(name) ?? []).every((folder) => !existsSync(join(folder, name, 'package.json'))),
  )
}
