/** The two files that a house's configuration names: its devices and its prices. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { OPTIONAL_FILES, type Config } from '../config.ts'
import { readCatalogueCsv, type Catalogue } from './catalogue.ts'
import { readBillingCsv, type TariffBand } from './tariffs.ts'

/** Where the configuration is read from: its keys, and the folder that its paths start from. */
export interface Configured {
  config: Config
  baseDir: string
}

type Key = keyof typeof OPTIONAL_FILES

export const referenceFile = ({ config, baseDir }: Configured, key: Key): string =>
  resolve(baseDir, config[key])

/** A file that nobody has named may be absent; one that was named must be there, or a wrong path would empty what it held. */
const isLeftOut = (configured: Configured, key: Key): boolean =>
  configured.config[key] === OPTIONAL_FILES[key] && !existsSync(referenceFile(configured, key))

/** The devices that the catalogue's file lists; its dates are days of `timeZone`. Throws `config_invalid`, `file_missing`. */
export async function readCatalogueFile(configured: Configured, timeZone: string): Promise<Catalogue> {
  if (isLeftOut(configured, 'catalogue')) return { rows: [], periods: [], notices: [] }
  return await readCatalogueCsv(referenceFile(configured, 'catalogue'), timeZone)
}

/** The prices that the billing data list. Throws likewise. */
export async function readBillingFile(configured: Configured): Promise<TariffBand[]> {
  if (isLeftOut(configured, 'billing')) return []
  return await readBillingCsv(referenceFile(configured, 'billing'))
}
