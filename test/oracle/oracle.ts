/**
 * The oracle: what Silver and Gold must hold for a given Bronze, worked out row by row in plain TypeScript with
 * BigInt. It is the independent reading of design §3.3–§3.5 and decision 0002, written for clarity, not speed.
 */
import { gold } from './gold.ts'
import { silver } from './silver.ts'
import type { GoldTables } from './gold.ts'
import type { Silver } from './silver.ts'
import type { BronzeRow, House } from './types.ts'

export type OracleTables = Silver['tables'] & GoldTables

/** Every derived table, by name, in no particular order of rows. */
export function oracle(bronze: readonly BronzeRow[], house: House): OracleTables {
  const derived = silver(bronze, house)
  return { ...derived.tables, ...gold(derived, house) }
}
