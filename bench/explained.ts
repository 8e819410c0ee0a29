/**
 * What stands below a benchmark's table in docs/performance.md: why a curve grows as it does, and where the time goes of what falls short
 * of its budget. Each figure in here was measured as it says.
 */
export const EXPLAINED: Readonly<Record<string, readonly string[]>> = {}
