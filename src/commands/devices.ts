import type { KnownDevice, Registry } from '../1-source/registry/registry.ts'
import { shownOf, shownPresence } from '../1-source/registry/shown.ts'
import { GOLD_DAILY } from '../5-gold/tables.ts'
import { PlatformError } from '../errors.ts'
import { openDevices, openSettings, openWarehouse, type Settings, type Warehouse } from '../main.ts'
import { DEFAULT_TENANT } from '../reading.ts'
import { emptyNote, listDevices, type DeviceNote, type ListedDevice } from '../reference/devices.ts'
import { readCatalogue, readDeviceNotes, writeDeviceNotes } from '../reference/sync.ts'
import { isDate } from '../reference/csv.ts'
import { recordDevices } from '../run/reference.ts'
import { nearest } from '../units.ts'
import { COMMON_OPTIONS, JSON_OPTION, refuseForeign, type Arguments, type Command } from './command.ts'
import { apply } from './device-book.ts'

const ACTIONS = { list, show, rename, merge: mergeDevices, retire, unknown } as const

const SAID = ['name', 'type', 'location', 'owner'] as const
/** How many devices each takes, and those of the command's options that mean something to it. */
const TAKES: Readonly<Record<keyof typeof ACTIONS, { devices: number; options: readonly string[] }>> = {
  list: { devices: 0, options: ['tenant'] },
  show: { devices: 1, options: ['tenant'] },
  rename: { devices: 1, options: ['tenant', ...SAID] },
  merge: { devices: 2, options: ['tenant', 'undo'] },
  retire: { devices: 1, options: ['tenant', 'on', 'undo'] },
  unknown: { devices: 0, options: [] },
}

export const DEVICES: Command = {
  name: 'devices',
  summary: 'the devices: what they are, whether they report; name, merge and retire them',
  positional: 'list|show|rename|merge|retire|unknown [DEVICE] [INTO]',
  options: {
    ...COMMON_OPTIONS,
    ...JSON_OPTION,
    tenant: { value: 'ID', description: 'home of the device; default home; list: all homes' },
    name: { value: 'TEXT', description: 'rename: what people call it' },
    type: { value: 'TYPE', description: 'rename: kind of device, for example smart_plug' },
    location: { value: 'TEXT', description: 'rename: where it stands' },
    owner: { value: 'ID', description: 'rename: user that it belongs to' },
    on: { value: 'DATE', description: 'retire: when, YYYY-MM-DD; default today' },
    undo: { description: 'merge, retire: take it back' },
  },
  examples: [
    'smarthouse devices list',
    'smarthouse devices show plug-1',
    'smarthouse devices rename plug-1 --name "Washing machine" --location cellar',
    'smarthouse devices merge old-plug plug-1',
    'smarthouse devices retire plug-1 --on 2026-01-31',
    'smarthouse devices unknown',
  ],
  async run(args) {
    const [name = 'list', ...words] = args.positionals
    if (!Object.hasOwn(ACTIONS, name))
      throw usage(
        `smarthouse devices has no "${name}"`,
        `Did you mean ${nearest(name, Object.keys(ACTIONS)) ?? 'list'}?`,
      )
    const action = name as keyof typeof ACTIONS
    const { devices, options } = TAKES[action]
    refuseForeign(DEVICES, action, args, options)
    if (words.length > devices)
      throw usage(`devices ${action} takes no "${words[devices]}"`, 'See smarthouse devices --help.')
    retiredOn(args)
    const settings = openSettings(args)
    const warehouse = await openWarehouse(settings)
    const registry = await openDevices(settings)
    try {
      await ACTIONS[action]({ args, words, settings, warehouse, registry })
      return 0
    } finally {
      registry.close()
      await warehouse.close()
    }
  },
}

interface Call {
  args: Arguments
  /** What stands behind the action. */
  words: readonly string[]
  settings: Settings
  warehouse: Warehouse
  registry: Registry
}

const usage = (message: string, cure: string): PlatformError => new PlatformError('usage', message, cure)

/** A device with all that is known of it. */
type Shown = ListedDevice & { presence: string } & ReturnType<typeof shownOf>

async function readDevices({ args, settings, warehouse, registry }: Call): Promise<Shown[]> {
  const { lake, engine } = warehouse
  const catalogue = (await readCatalogue(lake, engine)).value
  const known = new Map(registry.devices().map((device) => [keyOf(device), device]))
  const listed = new Map(catalogue.map((device) => [keyOf(device), device]))
  const discovered = [...known.values()].map(({ tenant_id, facts }) => ({ ...facts, tenant_id }))
  for (const device of [...listDevices([], [], discovered), ...(await reported(warehouse))]) {
    const key = keyOf(device)
    if (!listed.has(key)) listed.set(key, device)
  }
  const tenant = args.text('tenant')
  const { offline_s: silentAfterS } = settings.config.alerts
  return [...listed.values()]
    .filter((device) => tenant === undefined || device.tenant_id === tenant)
    .map((device) => shown(device, known.get(keyOf(device)), silentAfterS))
    .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

const keyOf = ({ tenant_id, device_id }: { tenant_id: string; device_id: string }): string =>
  JSON.stringify([tenant_id, device_id])

/** Devices that have days in Gold: also those that no message announced, as of an import or of another producer. */
async function reported({ lake, engine }: Warehouse): Promise<ListedDevice[]> {
  const session = await engine.session()
  try {
    const { files } = await lake.snapshot(GOLD_DAILY.name)
    const rows = await session.rows<
      Pick<ListedDevice, 'tenant_id' | 'device_id' | 'device_type' | 'location' | 'user_id'>
    >(
      `SELECT tenant_id, device_id, max_by(device_type, date) AS device_type, max_by(location, date) AS location,
         max_by(user_id, date) AS user_id
       FROM ${lake.scan(GOLD_DAILY.name, files)} GROUP BY tenant_id, device_id`,
    )
    return rows.map((row) => ({ ...NOTHING, ...row }))
  } finally {
    await session.close()
  }
}

const NOTHING: Omit<ListedDevice, 'tenant_id' | 'device_id'> = {
  ...emptyNote('', ''),
  installation_date: null,
  manufacturer: null,
  model: null,
  rated_power_w: null,
  expected_interval_s: null,
  energy_source: null,
  parent_device_id: null,
  origin: null,
  protocol: null,
}

function shown(device: ListedDevice, heard: KnownDevice | undefined, silentAfterS: number): Shown {
  const { expected_interval_s: expectedIntervalS } = device
  const presence = shownPresence(heard, { nowMs: Date.now(), silentAfterS, expectedIntervalS })
  return {
    ...device,
    presence: device.merged_into !== null ? 'merged' : device.retired_on !== null ? 'retired' : presence,
    ...shownOf(heard),
  }
}

async function list(call: Call): Promise<void> {
  const devices = await readDevices(call)
  if (call.args.flag('json')) return console.log(JSON.stringify(devices, null, 2))
  if (devices.length === 0) console.log('No device has been heard of yet.')
  for (const device of devices) {
    const { tenant_id, device_id, name, device_type, location, protocol, presence, last_seen, origin } =
      device
    const words = [
      `${tenant_id}/${device_id}`.padEnd(36),
      presence.padEnd(8),
      (last_seen ?? '–').padEnd(24),
      (device_type ?? '–').padEnd(16),
      (location ?? '–').padEnd(14),
      (protocol ?? '–').padEnd(16),
      (origin ?? 'readings').padEnd(10),
      name ?? '',
    ]
    console.log(words.join(' ').trimEnd())
  }
}

async function show(call: Call): Promise<void> {
  const device = await deviceOf(call, call.words[0])
  if (call.args.flag('json')) return console.log(JSON.stringify(device, null, 2))
  for (const [field, value] of Object.entries(device)) {
    const text = typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? '–')
    console.log(`${field.padEnd(20)} ${text}`)
  }
}

/** The device of that name; `unknown_device` names the nearest where there is none. */
async function deviceOf(call: Call, id: string | undefined): Promise<Shown> {
  if (id === undefined) throw usage('A device is missing', 'See smarthouse devices list.')
  const tenant = call.args.text('tenant') ?? DEFAULT_TENANT
  const devices = await readDevices(call)
  const found = devices.find((device) => device.device_id === id && device.tenant_id === tenant)
  if (found) return found
  const guess = nearest(
    id,
    devices.filter((device) => device.tenant_id === tenant).map((device) => device.device_id),
  )
  throw new PlatformError(
    'unknown_device',
    `The home "${tenant}" has no device "${id}"`,
    guess ? `Did you mean ${guess}?` : 'See smarthouse devices list, or name its home with --tenant.',
  )
}

/** Changes what is said of one device, and puts it into force. */
async function note(call: Call, device: Shown, change: Partial<DeviceNote>): Promise<void> {
  const { lake, engine } = call.warehouse
  const notes = await readDeviceNotes(lake, engine)
  await writeDeviceNotes(lake, engine, apply(notes, device.tenant_id, device.device_id, change))
  await recordDevices(call.settings, call.warehouse, (line) => process.stderr.write(`${line}\n`))
}

async function rename(call: Call): Promise<void> {
  const { args, words } = call
  const change: Partial<DeviceNote> = {}
  const name = args.text('name') ?? words[1]
  if (name !== undefined) change.name = name
  if (args.text('type') !== undefined) change.device_type = args.text('type')!
  if (args.text('location') !== undefined) change.location = args.text('location')!
  if (args.text('owner') !== undefined) change.user_id = args.text('owner')!
  if (Object.keys(change).length === 0)
    throw usage('Nothing is said of the device', 'Write for example --name "Washing machine".')
  const device = await deviceOf(call, words[0])
  await note(call, device, change)
  console.log(
    `${device.device_id}: ${Object.entries(change)
      .map(([field, value]) => `${field} is ${value}`)
      .join(', ')}`,
  )
}

async function mergeDevices(call: Call): Promise<void> {
  const { args, words } = call
  const device = await deviceOf(call, words[0])
  if (args.flag('undo')) {
    await note(call, device, { merged_into: null })
    console.log(`${device.device_id} is a device of its own again; its history follows in the next minutes.`)
    return
  }
  const into = await deviceOf(call, words[1])
  if (into.device_id === device.device_id)
    throw usage('A device is not merged into itself', 'Name two devices.')
  await note(call, device, { merged_into: into.device_id })
  console.log(`${device.device_id} is ${into.device_id} now; its history follows in the next minutes.`)
}

function retiredOn(args: Arguments): string {
  const on = args.text('on') ?? new Date().toISOString().slice(0, 10)
  if (!isDate(on)) throw usage(`--on is no date: "${on}"`, 'Write it as YYYY-MM-DD.')
  return on
}

async function retire(call: Call): Promise<void> {
  const device = await deviceOf(call, call.words[0])
  const on = retiredOn(call.args)
  const isUndone = call.args.flag('undo')
  await note(call, device, { retired_on: isUndone ? null : on })
  console.log(isUndone ? `${device.device_id} is in use again.` : `${device.device_id} is retired on ${on}.`)
}

async function unknown({ args, registry }: Call): Promise<void> {
  const messages = registry.unknown().map(({ proposal, firstMs, lastMs, ...seen }) => ({
    ...seen,
    first_seen: new Date(firstMs).toISOString(),
    last_seen: new Date(lastMs).toISOString(),
    proposal: proposal === null ? null : (JSON.parse(proposal) as unknown),
  }))
  if (args.flag('json')) return console.log(JSON.stringify(messages, null, 2))
  if (messages.length === 0) console.log('Every message could be read.')
  for (const { pattern, why, count, sample, proposal } of messages) {
    console.log(`${pattern}  ${why}  ${count} messages`)
    console.log(`  for example  ${sample.slice(0, 200)}`)
    if (proposal !== null)
      console.log(`  sources.mappings:  ${JSON.stringify((proposal as { mapping: unknown }).mapping)}`)
  }
}
