import type { Column } from '../lake/types.ts'

/** Columns that Gold tables share. */
export const TENANT: Column = {
  name: 'tenant_id',
  type: 'string',
  required: true,
  description: 'Home that the device belongs to.',
}
export const DEVICE: Column = { name: 'device_id', type: 'string', required: true, description: 'Device.' }
export const LOCAL_DATE: Column = {
  name: 'date',
  type: 'date',
  required: true,
  description: "The home's local day (23, 24 or 25 hours).",
}
export const LOCAL_MONTH: Column = {
  name: 'month',
  type: 'date',
  required: true,
  description: 'First day of the local month.',
}
