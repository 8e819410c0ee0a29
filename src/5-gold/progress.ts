/**
 * How far a rebuild has come, so that one that was interrupted goes on: `_rebuild/gold.json` in the target's folder names the
 * files that are written but not committed yet, and a Parquet file beside it holds the months that are summed up to there. It
 * counts only for a rebuild of the very same inputs by the same models, within a day, while all of those files are there; else it
 * is dropped, and vacuum takes what it named. Nothing but a rebuild reads it.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { DataFile, Lake, Session } from '../lake/types.ts'
import type { InputSnapshots } from './publish.ts'

const FOLDER = '_rebuild'
const STATE = `${FOLDER}/gold.json`
/** Less than the age from which vacuum takes files that no commit names. */
const USABLE_MS = 86_400_000

export interface GoldProgress {
  /** What the rebuild is made of; another one starts anew. */
  made: string
  /** Months that are done, from the first on. */
  months: number
  /** What they wrote, by table. */
  files: Record<string, DataFile[]>
  /** Where the table `new_months` lies, relative to the lake's folder. */
  newMonths: string
  savedMs: number
}

/** The inputs' versions, the zone and the models in one word. */
export function madeOf(inputs: InputSnapshots, zone: string): string {
  const versions = Object.entries(inputs).map(([name, { version }]) => [name, version])
  const hash = createHash('sha256').update(JSON.stringify([versions, zone]))
  const folder = new URL('./', import.meta.url)
  for (const name of readdirSync(folder).toSorted())
    if (name.endsWith('.sql')) hash.update(readFileSync(new URL(name, folder)))
  return hash.digest('hex')
}

/** Makes `new_months` and returns what was saved last, where it can be gone on from. */
export async function resumed(
  target: Lake,
  session: Session,
  made: string,
): Promise<GoldProgress | undefined> {
  const progress = await savedProgress(target)
  if (!progress) return undefined
  const isUsable = progress.made === made && Date.now() - progress.savedMs < USABLE_MS
  if (!isUsable || !(await allThere(target, progress))) {
    await dropProgress(target)
    return undefined
  }
  await session.run(
    `CREATE OR REPLACE TEMP TABLE new_months AS SELECT * FROM read_parquet('${quoted(`${target.root}/${progress.newMonths}`)}')`,
  )
  return progress
}

/** Saves `new_months` and the progress that it belongs to, whole or not at all. */
export async function saveProgress(
  target: Lake,
  session: Session,
  progress: Omit<GoldProgress, 'newMonths' | 'savedMs'>,
): Promise<void> {
  const before = await savedProgress(target)
  const [written] = await session.rows<{ Files: string[] }>(
    `COPY new_months TO '${quoted(`${target.root}/${FOLDER}`)}' (FORMAT parquet, ROW_GROUPS_PER_FILE 1000000,
     APPEND, FILENAME_PATTERN 'gold-months-{uuidv7}', RETURN_FILES)`,
  )
  const newMonths = `${FOLDER}/${written!.Files[0]!.replaceAll('\\', '/').split('/').at(-1)}`
  await target.store.settle([newMonths])
  const saved: GoldProgress = { ...progress, newMonths, savedMs: Date.now() }
  await target.store.put(STATE, new TextEncoder().encode(JSON.stringify(saved)))
  if (before) await target.store.delete(before.newMonths)
}

/** After this nothing is gone on from. */
export async function dropProgress(target: Lake): Promise<void> {
  const before = await savedProgress(target)
  if (!before) return
  await target.store.delete(STATE)
  await target.store.delete(before.newMonths)
}

async function savedProgress({ store }: Lake): Promise<GoldProgress | undefined> {
  try {
    return JSON.parse(new TextDecoder().decode(await store.read(STATE))) as GoldProgress
  } catch (error) {
    const isNone = error instanceof SyntaxError || (error as { code?: string }).code === 'ENOENT'
    if (isNone) return undefined
    throw error
  }
}

/** Somebody may have tidied up meanwhile. */
async function allThere({ store }: Lake, { files, newMonths }: GoldProgress): Promise<boolean> {
  const wanted = Object.entries(files).flatMap(([table, of]) =>
    of.map(({ path }) => `${table.replace('.', '/')}/${path}`),
  )
  wanted.push(newMonths)
  const folders = new Set(wanted.map((path) => path.slice(0, path.lastIndexOf('/') + 1)))
  const found = new Set<string>()
  for (const folder of folders) for (const { path } of await store.list(folder)) found.add(path)
  return wanted.every((path) => found.has(path))
}

const quoted = (text: string): string => text.replaceAll("'", "''")
