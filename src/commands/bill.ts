import { BILL_TABLES, homesOfUser, readBill } from '../6-serve/bill.ts'
import { BillQuery, type Bill } from '../6-serve/contract-bill.ts'
import { createLakeReader, type View } from '../6-serve/lake-reader.ts'
import { PlatformError } from '../errors.ts'
import { openSettings, openWarehouse } from '../main.ts'
import { readSettings } from '../reference/sync.ts'
import { COMMON_OPTIONS, JSON_OPTION, type Arguments, type Command } from './command.ts'

export const BILL: Command = {
  name: 'bill',
  summary: "print a user's bill of one month",
  options: {
    ...COMMON_OPTIONS,
    user: { value: 'ID', description: 'whose bill' },
    month: { value: 'YYYY-MM', description: 'local month; of an open one the days that have begun' },
    tenant: { value: 'ID', description: 'home of the user; needed where several know the user' },
    ...JSON_OPTION,
  },
  examples: [
    'smarthouse bill --user user_1 --month 2026-01',
    'smarthouse bill --user user_1 --month 2026-01 --json',
  ],
  async run(args) {
    const { user, month } = asked(args)
    const settings = openSettings(args)
    const warehouse = await openWarehouse(settings)
    try {
      const recorded = (await readSettings(warehouse.lake, warehouse.engine)).value
      const reader = await createLakeReader(warehouse)
      try {
        const view = await reader.view(BILL_TABLES)
        const tenant = args.text('tenant') ?? (await onlyHome(view, user, month))
        const bill = await readBill(
          view,
          { tenant, user, month },
          {
            timeZone: recorded?.time_zone ?? settings.config.time_zone,
            currency: recorded?.currency ?? settings.config.currency,
            nowMs: Date.now(),
          },
        )
        console.log(args.flag('json') ? JSON.stringify(bill, null, 2) : billText(bill))
        return 0
      } finally {
        await reader.close()
      }
    } finally {
      await warehouse.close()
    }
  },
}

function asked(args: Arguments): { user: string; month: string } {
  const parsed = BillQuery.safeParse({ user: args.text('user'), month: args.text('month') })
  if (parsed.success) return parsed.data
  throw new PlatformError(
    'usage',
    'bill needs a user and a month',
    'Write smarthouse bill --user user_1 --month 2026-01.',
  )
}

async function onlyHome(view: View, user: string, month: string): Promise<string> {
  const homes = await homesOfUser(view, user, month)
  if (homes.length > 1)
    throw new PlatformError(
      'usage',
      `The user "${user}" is known in several homes: ${homes.join(', ')}`,
      `Name one, for example --tenant ${homes[0]}.`,
    )
  // Where no home knows the user, reading the bill says so.
  return homes[0] ?? 'home'
}

/** The bill as a person reads it: energy in kWh with three decimals, amounts in the currency's smallest unit. */
export function billText(bill: Bill): string {
  const rows = [
    ...bill.energy.map((line) => [
      `${line.band}, tariff ${line.tariff_version} from ${line.valid_from}`,
      `${threeDecimals(line.energy_kwh)} kWh × ${plain(line.rate_kwh)}`,
      line.amount,
    ]),
    ...bill.base.map((line) => [
      `base charge, tariff ${line.tariff_version} from ${line.valid_from}`,
      `${plain(line.charge_month)} × ${line.days} of ${line.days_of_month} days`,
      line.amount,
    ]),
    ...(/[1-9]/.test(bill.rounding) ? [['rounding of the lines', '', bill.rounding]] : []),
    [bill.complete ? 'total' : 'total of the days that have begun', bill.currency, bill.total],
  ] as [string, string, string][]
  const width = (column: number) => Math.max(...rows.map((row) => row[column]!.length))
  const [first, second, third] = [width(0), width(1), width(2)]
  const fedIn = /[1-9]/.test(bill.fed_in_kwh)
    ? [`${threeDecimals(bill.fed_in_kwh)} kWh were fed in; they are neither charged nor paid.`]
    : []
  return [
    `Bill of ${bill.user} (home ${bill.tenant}) for ${bill.month}, ${bill.time_zone}`,
    '',
    ...rows.map(
      ([what, how, amount]) => `${what.padEnd(first)}  ${how.padStart(second)}  ${amount.padStart(third)}`,
    ),
    '',
    `Exact, before rounding: energy ${plain(bill.energy_cost)}, base charge ${plain(bill.base_cost)}, total ${plain(bill.total_cost)} ${bill.currency}`,
    ...fedIn,
  ].join('\n')
}

/** Without the zeros at its end, but with two decimals. */
const plain = (text: string): string => text.replace(/(\.\d{2}\d*?)0+$/, '$1')

/** Half up, from the exact decimals. */
function threeDecimals(text: string): string {
  const [whole = '0', fraction = ''] = text.split('.')
  const thousandths = (BigInt(whole + fraction.padEnd(4, '0').slice(0, 4)) + 5n) / 10n
  const digits = String(thousandths).padStart(4, '0')
  return `${digits.slice(0, -3)}.${digits.slice(-3)}`
}
