export { openDuckDb, type DuckDbOptions } from './duckdb.ts'
export { openLake, type LakeOptions } from './lake.ts'
export { localStore } from './store.ts'
export type * from './types.ts'
