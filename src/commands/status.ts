import { join } from 'node:path'
import { rowCount } from '../lake/stats.ts'
import { openSettings, openWarehouse } from '../main.ts'
import { isRunning, readStatus, type InstanceStatus } from '../run/instance.ts'
import { bytesText } from '../units.ts'
import { COMMON_OPTIONS, JSON_OPTION, type Command } from './command.ts'

interface TableStatus {
  table: string
  version: number
  files: number
  rows: number
  bytes: number
  updated: string
}

export const STATUS: Command = {
  name: 'status',
  summary: 'what runs on a data folder, and what lies in it',
  options: { ...COMMON_OPTIONS, ...JSON_OPTION },
  examples: ['smarthouse status', 'smarthouse status --json'],
  exitCodes: { 3: 'nothing runs' },
  async run(args) {
    const settings = openSettings(args)
    const running = isRunning(settings.folder.run)
    const instance = readStatus(settings.folder.run)
    const tables = await tableStatus(settings)
    if (args.flag('json'))
      console.log(
        JSON.stringify({ running, data: settings.folder.root, instance: instance ?? null, tables }, null, 2),
      )
    else print(running, settings.folder.root, instance, tables)
    return running ? 0 : 3
  },
}

async function tableStatus(settings: Parameters<typeof openWarehouse>[0]): Promise<TableStatus[]> {
  const warehouse = await openWarehouse(settings)
  try {
    const names = await warehouse.lake.tables()
    return await Promise.all(
      names.map(async (table) => {
        const { version, files, timestampMs } = await warehouse.lake.snapshot(table)
        return {
          table,
          version,
          files: files.length,
          rows: rowCount(files),
          bytes: files.reduce((sum, file) => sum + file.bytes, 0),
          updated: new Date(timestampMs).toISOString(),
        }
      }),
    )
  } finally {
    await warehouse.close()
  }
}

function print(
  running: boolean,
  root: string,
  instance: InstanceStatus | undefined,
  tables: TableStatus[],
): void {
  if (running && instance) {
    console.log(
      `Running on ${join(root)} since ${instance.started} (process ${instance.pid}): ${instance.url}`,
    )
    for (const part of instance.parts) {
      console.log(
        `  ${part.name.padEnd(10)} ${part.state.padEnd(8)} process ${part.pid ?? '–'}  ${part.memory_bytes ? bytesText(part.memory_bytes) : '–'}  ${part.restarts} restarts  ${part.doing}`,
      )
      const wrong = part.problem ?? (part.state === 'waiting' ? part.last_error : null)
      if (wrong) console.log(`             ${wrong}`)
    }
  } else {
    console.log(
      `Nothing runs on ${root}.${instance ? ' The last platform ended without a clean stop; its data is safe.' : ''}`,
    )
  }
  for (const { table, rows, files, bytes, updated } of tables)
    console.log(
      `  ${table.padEnd(34)} ${String(rows).padStart(10)} rows  ${String(files).padStart(5)} files  ${bytesText(bytes).padStart(9)}  ${rows > 0 ? updated : ''}`,
    )
}
