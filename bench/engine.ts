import { CONFIG_SCHEMA } from '../src/config.ts'
import { type DuckDbOptions, openDuckDb } from '../src/lake/duckdb.ts'
import type { Engine } from '../src/lake/types.ts'

/** The engine with the memory and the threads that the platform gives it where the configuration says nothing. */
export function openBenchEngine(options: DuckDbOptions = {}): Promise<Engine> {
  const { memory_limit_mb, threads } = CONFIG_SCHEMA.parse({}).engine
  return openDuckDb({ memoryLimitMb: memory_limit_mb, threads, ...options })
}
