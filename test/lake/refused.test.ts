import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { openLake, pruneFiles } from '../../src/lake/index.ts'
import { add, FOREIGN, foreignWorld, metaData, PROTOCOL, remove } from './foreign.ts'

/** Tables of other writers, and damaged ones, that must not be read: the error says what and where. */

test('what goes beyond (1,2) is refused by its name (dv-*, table-with-columnmapping-*, multi-part-checkpoint, v2-checkpoint-*, deltalog-invalid-protocol-version, data-reader-timestamp_ntz)', async (t) => {
  const { entry, rows, inLog, lake, root } = await foreignWorld(t)
  const n = metaData([['n', 'long']])
  const features = (...names: string[]) => ({
    protocol: { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: names, writerFeatures: names },
  })
  const old = (reader: number, writer: number) => ({
    protocol: { minReaderVersion: reader, minWriterVersion: writer },
  })
  const dv = {
    deletionVector: { storageType: 'u', pathOrInlineDv: 'x', offset: 1, sizeInBytes: 1, cardinality: 1 },
  }
  const cases: [object[], RegExp][] = [
    [[features('deletionVectors'), n], /uses deletionVectors/],
    [[PROTOCOL, n, add('a.parquet', {}, dv)], /uses deletionVectors/],
    [[old(2, 5), n], /columnMapping \(protocol 2,5\)/],
    [[features('columnMapping'), n], /columnMapping/],
    [[features('v2Checkpoint'), n], /v2Checkpoint/],
    [[features('timestampNtz'), n], /timestampNtz/],
    [[features('typeWidening', 'variantType'), n], /typeWidening, variantType/],
    [[old(1, 3), n], /checkConstraints/],
    [[old(1, 4), n], /changeDataFeed or generatedColumns/],
    [[old(1, 6), n], /identityColumns/],
    [[old(5, 9), n], /protocol 5,9/],
    [[PROTOCOL, metaData([['n', 'timestamp_ntz']])], /type timestamp_ntz/],
    [[PROTOCOL, metaData([['n', 'long']], [], { format: { provider: 'orc', options: {} } })], /format orc/],
    [
      [
        PROTOCOL,
        metaData([], [], {
          schemaString: JSON.stringify({
            type: 'struct',
            fields: [
              {
                name: 's',
                nullable: true,
                metadata: {},
                type: {
                  type: 'struct',
                  fields: [
                    { name: 'n', type: 'long', nullable: true, metadata: { 'delta.invariants': '{}' } },
                  ],
                },
              },
            ],
          }),
        }),
      ],
      /columnInvariants/,
    ],
  ]
  for (const [actions, message] of cases) {
    await entry(0, actions)
    await assert.rejects(rows(), { code: 'lake_unsupported', message }, String(message))
  }
  // One that was fine when it was opened is looked at again at every refresh.
  await entry(0, [PROTOCOL, n])
  assert.equal((await lake.snapshot(FOREIGN)).version, 0)
  await inLog('_last_checkpoint', '{"version":1,"size":3,"parts":2}')
  await entry(1, [{ commitInfo: { operation: 'WRITE' } }])
  await assert.rejects(lake.snapshot(FOREIGN), { code: 'lake_unsupported', message: /several parts/ })
  await rm(path.join(root, 'bronze', 'foreign', '_delta_log', '_last_checkpoint'))
  assert.equal((await lake.snapshot(FOREIGN)).version, 1)
  for (const [name, message] of [
    ['00000000000000000001.checkpoint.0000000001.0000000002.parquet', /several parts/],
    ['00000000000000000001.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json', /v2Checkpoint/],
    ['00000000000000000001.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.parquet', /v2Checkpoint/],
  ] as const) {
    await inLog(name, '')
    await assert.rejects(rows(), { code: 'lake_unsupported', message })
    await rm(path.join(root, 'bronze', 'foreign', '_delta_log', name))
  }
})

test('logs that make no sense: the error names table, version and file (state-reconstruction-without-protocol, -metadata, versions-not-contiguous)', async (t) => {
  const { entry, rows, inLog, root, engine } = await foreignWorld(t)
  const n = metaData([['n', 'long']])
  const cases: [object[], RegExp][] = [
    [[n], /version 0: .*0{20}\.json makes no sense/],
    [[PROTOCOL], /version 0: .*0{20}\.json makes no sense/],
    [[PROTOCOL, metaData([], [], { schemaString: '{' })], /makes no sense/],
    [[PROTOCOL, metaData([['n', 'long']], ['gone'])], /no column gone/],
    [[PROTOCOL, n, { add: 'text' }], /makes no sense/],
    [[PROTOCOL, n, { add: { partitionValues: {} } }], /makes no sense/],
    [[PROTOCOL, n, add('../other/a.parquet')], /version 0 the file \.\.\/other\/a\.parquet/],
    [[PROTOCOL, n, add('%2e%2e/a.parquet')], /does not lie inside/],
  ]
  for (const [actions, message] of cases) {
    await entry(0, actions)
    await assert.rejects(rows(), { code: 'lake_corrupt', message }, String(message))
    await assert.rejects(rows(), { message: /Table bronze\.foreign/ })
  }
  // Legal in the format, and not read here (canonicalized-paths-*).
  for (const absolute of [add('file:///some/unqualified/absolute/path'), remove('/abs/a.parquet')]) {
    await entry(0, [PROTOCOL, n, absolute])
    await assert.rejects(rows(), {
      code: 'lake_unsupported',
      message: /Table bronze\.foreign: .* version 0 .*by an absolute path/,
    })
  }
  await entry(0, [PROTOCOL, n, add('a.parquet', {}, { stats: '{"numRecords":' })])
  const { files, columns } = await (await openLake({ root, engine })).snapshot(FOREIGN)
  assert.throws(() => pruneFiles(files, columns, [{ column: 'n', is: '=', value: 1 }]), {
    code: 'lake_corrupt',
    message: /version 0: .*statistics of a\.parquet/,
  })
  await inLog('00000000000000000001.json', '{"commitInfo":{}}\nnot json\n')
  await entry(2, [add('b.parquet')])
  await assert.rejects(rows(), { code: 'lake_corrupt', message: /version 1: .*1\.json is torn/ })
  await rm(path.join(root, 'bronze', 'foreign', '_delta_log', '00000000000000000001.json'))
  await assert.rejects(rows(), { code: 'lake_corrupt', message: /version 1: .*1\.json is missing/ })
})
