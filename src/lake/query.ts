import { LakeError } from './errors.ts'
import { pruneFiles } from './prune.ts'
import { quotedName } from './schema.ts'
import type {
  DataFile,
  Engine,
  Lake,
  Planner,
  QuerySession,
  Scan,
  Snapshot,
  SqlValue,
  TableRead,
} from './types.ts'

export interface QueryOptions {
  /** Which tables there are; default all in the folder. */
  tables?: readonly string[]
  /** The moment of which all tables are, or versions and moments of single tables; the others are as of now. */
  at?: Date | Readonly<Record<string, number | Date>>
}

/**
 * A session for a person's own queries: a view `layer.table` for each table, over the snapshot at its opening; it can
 * read the lake's files and nothing else, and change nothing. Each statement reads only the files in which, by
 * partition and statistics, rows that it asks for may be. Errors are `sql_refused`, `sql_failed`, and those of the
 * tables that a statement names: a table that cannot be read does not keep the others from being read.
 */
export async function openQuerySession(
  lake: Lake,
  engine: Engine,
  { tables, at = {} }: QueryOptions = {},
): Promise<QuerySession> {
  const names = tables ?? (await lake.tables())
  const { snapshots, broken } = await snapshotsOf(lake, names, at)
  const columns = new Map([...snapshots].map(([name, snapshot]) => [name, snapshot.columns]))
  let planner: Promise<Planner> | undefined
  // Before the engine sees the statement: it would say no more than that there is no such table.
  const requireReadable = (sql: string): void => {
    const named = namedIn(sql)
    for (const [table, error] of broken) if (named(table)) throw error
  }

  async function filesRead(sql: string, parameters?: readonly SqlValue[]): Promise<Map<string, DataFile[]>> {
    const named = namedIn(sql)
    planner ??= engine.planner(columns)
    const statement = sql.replace(/^\s*explain\s+(analyze\s+)?/i, '')
    // What cannot be planned, a DESCRIBE or a faulty statement, has the tables that it names whole.
    const scans = await (await planner).scans(statement, parameters).catch((): Scan[] => [])
    const read = new Map<string, DataFile[]>()
    for (const [table, snapshot] of snapshots) {
      const own = scans.filter((scan) => scan.table === table)
      if (own.length > 0) read.set(table, filesOf(snapshot, own))
      else if (named(table)) read.set(table, [...snapshot.files])
    }
    return read
  }

  const view = (table: string, files: readonly DataFile[]): string =>
    `CREATE OR REPLACE VIEW ${table.split('.').map(quotedName).join('.')} AS SELECT * FROM ${lake.scan(table, files)}`
  const layers = new Set(names.map((name) => name.split('.')[0] ?? ''))
  const session = await engine.readOnlySession(
    lake.root,
    [
      ...[...layers].map((layer) => `CREATE SCHEMA IF NOT EXISTS ${quotedName(layer)}`),
      ...[...snapshots.keys()].map((table) => view(table, [])),
    ],
    async (sql, parameters) =>
      [...(await filesRead(sql, parameters))].map(([table, files]) => view(table, files)),
  )
  return {
    ...session,
    async rows(sql, parameters) {
      requireReadable(sql)
      return session.rows<never>(sql, parameters)
    },
    async reads(sql) {
      requireReadable(sql)
      const read = await filesRead(sql)
      return [...read].map(([table, files]) => readOf(snapshots.get(table)!, files))
    },
    damages: (sql) => damagesOf([...snapshots.values()], namedIn(sql)),
    async close() {
      await session.close()
      await (await planner)?.close()
    },
  }
}

/** The tables as of when they are asked for, and why those that cannot be read cannot. */
async function snapshotsOf(lake: Lake, names: readonly string[], at: NonNullable<QueryOptions['at']>) {
  const snapshots = new Map<string, Snapshot>()
  const broken = new Map<string, LakeError>()
  for (const name of names) {
    try {
      snapshots.set(name, await lake.snapshot(name, at instanceof Date ? at : at[name]))
    } catch (error) {
      if (!(error instanceof LakeError)) throw error
      broken.set(name, error)
    }
  }
  return { snapshots, broken }
}

function damagesOf(snapshots: readonly Snapshot[], isNamed: (table: string) => boolean): string[] {
  return snapshots.flatMap(({ table, damage }) => (damage !== undefined && isNamed(table) ? [damage] : []))
}

/** Whether a statement may name a table: its text has the table's name. */
function namedIn(sql: string): (table: string) => boolean {
  const text = sql.toLowerCase()
  return (table) => text.includes(table.slice(table.indexOf('.') + 1))
}

/** The files that some scan of the table may need, in the table's order. */
function filesOf({ files, columns }: Snapshot, scans: readonly Scan[]): DataFile[] {
  const needed = new Set(scans.flatMap(({ predicates }) => pruneFiles(files, columns, predicates)))
  return files.filter((file) => needed.has(file))
}

function readOf({ table, version, files }: Snapshot, read: readonly DataFile[]): TableRead {
  const bytes = (some: readonly DataFile[]): number => some.reduce((sum, file) => sum + file.bytes, 0)
  return {
    table,
    version,
    files: { read: read.length, of: files.length },
    bytes: { read: bytes(read), of: bytes(files) },
  }
}
