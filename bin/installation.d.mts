/** The packages that the lockfile names and that are missing under `root`, or of another version. */
export function missingPackages(root: string): string[]
