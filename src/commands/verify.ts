import { PlatformError } from '../errors.ts'
import { openSettings, openWarehouse } from '../main.ts'
import { verify, type VerifyReport } from '../verify.ts'
import { COMMON_OPTIONS, JSON_OPTION, wholeNumber, type Command } from './command.ts'

export const VERIFY: Command = {
  name: 'verify',
  summary: 'rebuild Silver and Gold beside the lake and compare row for row',
  options: {
    ...COMMON_OPTIONS,
    days: { value: 'N', description: 'only so many days up to now: no more is built than these need' },
    device: { value: 'ID', description: 'only this device: no other is built' },
    ...JSON_OPTION,
  },
  examples: ['smarthouse verify', 'smarthouse verify --days 7', 'smarthouse verify --device thermostat_1'],
  async run(args, stop) {
    const days = args.text('days')
    const device = args.text('device')
    const options = {
      ...(days !== undefined && { days: wholeNumber('--days', days, 1, 100_000) }),
      ...(device !== undefined && { device }),
    }
    const settings = openSettings(args)
    const warehouse = await openWarehouse(settings)
    try {
      const report = await verify({
        ...warehouse,
        ...options,
        tempDir: settings.folder.temp,
        onProgress: (text) => {
          process.stderr.write(`${text}\n`)
          stop.throwIfAborted()
        },
      })
      if (args.flag('json')) console.log(JSON.stringify(report, null, 2))
      else print(report)
      if (report.equal) return 0
      throw new PlatformError(
        'verify_differs',
        'The lake differs from what Bronze gives',
        'Run `smarthouse rebuild silver`, then `smarthouse rebuild gold`, and report the rows above.',
      )
    } catch (error) {
      if (stop.aborted) return 130
      throw error
    } finally {
      await warehouse.close()
    }
  },
}

function print({ tables, accounting, behind }: VerifyReport): void {
  for (const { table, rows, onlyStored, onlyRebuilt, examples } of tables) {
    const verdict =
      onlyStored + onlyRebuilt === 0
        ? 'equal'
        : `${onlyStored} rows only stored, ${onlyRebuilt} rows only rebuilt`
    console.log(`${table.padEnd(34)} ${String(rows).padStart(10)} rows  ${verdict}`)
    for (const example of examples) console.log(`    ${example}`)
  }
  const { bronze, readings, rejects, duplicates, pending, closes } = accounting
  console.log(
    `Bronze ${bronze} ${closes ? '=' : '≠'} readings ${readings} + rejects ${rejects} + duplicates ${duplicates} + pending ${pending}`,
  )
  for (const sentence of behind) console.log(sentence)
}
