/** What the address says of the list of devices. Loaded with the routes, so it imports nothing. */

export const COLUMNS = [
  'state',
  'name',
  'type',
  'room',
  'power',
  'energy',
  'temperature',
  'health',
  'risk',
  'seen',
] as const
export type ColumnName = (typeof COLUMNS)[number]
export const SHOWN = ['all', 'reporting', 'attention'] as const
export type ShownName = (typeof SHOWN)[number]

export interface DevicesSearch {
  q?: string
  show?: ShownName
  /** Column, with `-` before it from the largest down. */
  sort?: string
}

export function devicesSearchOf(raw: Record<string, unknown>): DevicesSearch {
  const { q, show, sort } = raw
  const search: DevicesSearch = {}
  if (typeof q === 'string' && q !== '') search.q = q.slice(0, 100)
  const shown = SHOWN.find((name) => name === show)
  if (shown && shown !== 'all') search.show = shown
  if (typeof sort === 'string' && COLUMNS.some((name) => name === sort.replace(/^-/, ''))) search.sort = sort
  return search
}
