/**
 * How far a rebuild has come, so that one that was interrupted goes on: `_rebuild/silver.json` in the target's folder
 * names the files that are written but not committed yet, and `_rebuild/*.parquet` hold the tail after them. It counts only
 * for a rebuild of the very same inputs with the same rules, within a day, while all of those files are there; else it is
 * dropped, and vacuum takes what it named. Nothing but a rebuild reads it.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { DataFile, Lake, Session } from '../lake/types.ts'
import { describeChannels } from './models.ts'
import { TAIL_FORM, TAIL_TABLES } from './tail.ts'

const FOLDER = '_rebuild'
const STATE = `${FOLDER}/silver.json`
/** Less than the age from which vacuum takes files that no commit names. */
const USABLE_MS = 86_400_000

export interface Progress {
  /** What the rebuild is made of; another one starts anew. */
  made: string
  /** Parts that are done. */
  parts: number
  /** What they wrote, by table. */
  files: Record<string, DataFile[]>
  /** Where the tail lies, by table, relative to the lake's folder. */
  tail: Record<string, string>
  savedMs: number
}

/** The inputs' versions, and the rules as the session has them, in one word. */
export async function madeOf(session: Session, versions: object, rowsPerPart: number): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([versions, rowsPerPart, TAIL_FORM, modelsWord()]))
  for (const table of ['constants', 'type_limits'])
    hash.update(JSON.stringify(await session.rows(`SELECT CAST(x AS VARCHAR) AS row FROM ${table} x`)))
  return hash.digest('hex')
}

/** The texts of the models in one word. */
export function modelsWord(): string {
  const hash = createHash('sha256')
  const folder = new URL('./', import.meta.url)
  for (const name of readdirSync(folder).toSorted())
    if (name.endsWith('.sql')) hash.update(readFileSync(new URL(name, folder)))
  return hash.digest('hex')
}

/** Loads the tail and returns what was saved last, where it can be gone on from. */
export async function resumed(target: Lake, session: Session, made: string): Promise<Progress | undefined> {
  const progress = await savedProgress(target)
  if (!progress) return undefined
  const isUsable = progress.made === made && Date.now() - progress.savedMs < USABLE_MS
  if (!isUsable || !(await allThere(target, progress))) {
    await dropProgress(target)
    return undefined
  }
  for (const table of TAIL_TABLES)
    await session.run(
      `CREATE OR REPLACE TEMP TABLE ${table} AS SELECT * FROM read_parquet('${quoted(`${target.root}/${progress.tail[table]}`)}')`,
    )
  await describeChannels(session)
  return progress
}

/** Saves the tail of now and the progress that it belongs to, whole or not at all. */
export async function saveProgress(
  target: Lake,
  session: Session,
  progress: Omit<Progress, 'tail' | 'savedMs'>,
): Promise<void> {
  const before = await savedProgress(target)
  const tail: Record<string, string> = {}
  for (const table of TAIL_TABLES) {
    const [written] = await session.rows<{ Files: string[] }>(
      `COPY ${table} TO '${quoted(`${target.root}/${FOLDER}`)}' (FORMAT parquet, ROW_GROUPS_PER_FILE 1000000,
       APPEND, FILENAME_PATTERN 'silver-${table}-{uuidv7}', RETURN_FILES)`,
    )
    const [file] = written?.Files ?? []
    if (file !== undefined) tail[table] = `${FOLDER}/${file.replaceAll('\\', '/').split('/').at(-1)}`
  }
  await target.store.settle(Object.values(tail))
  const saved: Progress = { ...progress, tail, savedMs: Date.now() }
  await target.store.put(STATE, new TextEncoder().encode(JSON.stringify(saved)))
  for (const file of Object.values(before?.tail ?? {})) await target.store.delete(file)
}

/** After this nothing is gone on from. */
export async function dropProgress(target: Lake): Promise<void> {
  const before = await savedProgress(target)
  await target.store.delete(STATE)
  for (const file of Object.values(before?.tail ?? {})) await target.store.delete(file)
}

async function savedProgress({ store }: Lake): Promise<Progress | undefined> {
  try {
    return JSON.parse(new TextDecoder().decode(await store.read(STATE))) as Progress
  } catch (error) {
    const isNone = error instanceof SyntaxError || (error as { code?: string }).code === 'ENOENT'
    if (isNone) return undefined
    throw error
  }
}

/** Somebody may have tidied up meanwhile. */
async function allThere({ store }: Lake, { files, tail }: Progress): Promise<boolean> {
  const wanted = Object.entries(files).flatMap(([table, of]) =>
    of.map(({ path }) => `${table.replace('.', '/')}/${path}`),
  )
  wanted.push(...TAIL_TABLES.map((table) => tail[table] ?? ''))
  const folders = new Set(wanted.map((path) => path.slice(0, path.lastIndexOf('/') + 1)))
  const found = new Set<string>()
  for (const folder of folders) for (const { path } of await store.list(folder)) found.add(path)
  return wanted.every((path) => found.has(path))
}

const quoted = (text: string): string => text.replaceAll("'", "''")
