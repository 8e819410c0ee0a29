/** Small reductions that the tables of Gold share. */
import { decimal } from './exact.ts'
import type { Accepted } from './types.ts'

export const smallest = (values: readonly number[]): number | null =>
  values.length === 0 ? null : Math.min(...values)
export const largest = (values: readonly number[]): number | null =>
  values.length === 0 ? null : Math.max(...values)
export const known = (values: readonly (number | null)[]): number[] =>
  values.filter((value) => value !== null)
export const decimalOrNull = (n: bigint | null | undefined, digits: number): string | null =>
  n === null || n === undefined ? null : decimal(n, digits)
export const byRowOrder = (rows: readonly Accepted[]): Accepted[] =>
  rows.toSorted((a, b) => a.order - b.order)
