/** Figures for Prometheus, text format 0.0.4. */
import type { DataStatus } from './contract.ts'

export function metricsText(status: DataStatus, server: { clients: number; uptimeS: number }): string {
  const tables = status.layers.flatMap((layer) => layer.tables)
  const perTable = (of: 'files' | 'rows' | 'bytes') =>
    tables.map((table) => [`{table="${escaped(table.name)}"}`, table[of]] as const)
  const partitions = status.stream?.partitions ?? []
  const perPartition = (of: 'start' | 'end' | 'landed' | 'lag') =>
    partitions.map((partition) => [`{partition="${partition.partition}"}`, partition[of]] as const)
  return [
    metric('smarthouse_lake_files', 'gauge', 'Data files of a table.', perTable('files')),
    metric('smarthouse_lake_rows', 'gauge', 'Rows of a table.', perTable('rows')),
    metric('smarthouse_lake_bytes', 'gauge', 'Bytes of the data files of a table.', perTable('bytes')),
    metric('smarthouse_stream_start_offset', 'gauge', 'Oldest kept offset.', perPartition('start')),
    metric('smarthouse_stream_end_offset', 'counter', 'Offset of the next message.', perPartition('end')),
    metric('smarthouse_stream_landed_offset', 'counter', 'Next offset for Bronze.', perPartition('landed')),
    metric('smarthouse_stream_lag_messages', 'gauge', 'Messages not yet in Bronze.', perPartition('lag')),
    metric('smarthouse_stream_dropped_messages', 'counter', 'Accepted messages lost before Bronze.', [
      ['', status.stream?.dropped ?? 0],
    ]),
    metric('smarthouse_sse_clients', 'gauge', 'Open live connections.', [['', server.clients]]),
    metric('smarthouse_uptime_seconds', 'gauge', 'Since the start of the server.', [['', server.uptimeS]]),
  ].join('')
}

function metric(
  name: string,
  type: 'gauge' | 'counter',
  help: string,
  samples: readonly (readonly [labels: string, value: number])[],
): string {
  const lines = samples.map(([labels, value]) => `${name}${labels} ${value}\n`)
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
