/**
 * The simulated devices in the words of real ones: what each protocol's documentation says that such a device publishes over
 * MQTT. Shares nothing with the decoders, so that both can be held against each other.
 */
import type { Sink } from '../source.ts'

export const FLEETS = ['zigbee2mqtt', 'tasmota', 'shelly', 'esphome', 'homie'] as const
export type FleetName = (typeof FLEETS)[number]

export interface Publication {
  topic: string
  payload: string
  retain: boolean
}

/** One reading, with the device's counter. */
interface Measured {
  device: string
  timeMs: number
  powerW: number
  totalWh: number
  temperatureC: number | undefined
  manufacturer: string
  model: string
}

interface Dialect {
  /** What a device says when it comes up; `all` are those that came up so far, itself last. */
  announce(device: Measured, all: readonly Measured[]): Publication[]
  report(measured: Measured, timeZone: string): Publication[]
}

const keep = (topic: string, payload: string | object): Publication => ({
  topic,
  payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  retain: true,
})
const tell = (topic: string, payload: string | object): Publication => ({
  ...keep(topic, payload),
  retain: false,
})
const kWh = (wh: number): number => Number((wh / 1000).toFixed(3))

/** Zigbee2MQTT's guide, "MQTT topics and messages". */
const ZIGBEE2MQTT: Dialect = {
  announce: ({ device }, all) => [
    keep('zigbee2mqtt/bridge/state', { state: 'online' }),
    keep(
      'zigbee2mqtt/bridge/devices',
      all.map((one, index) => ({
        ieee_address: `0x00158d00${String(index + 1).padStart(8, '0')}`,
        friendly_name: one.device,
        type: 'Router',
        supported: true,
        interview_completed: true,
        definition: {
          model: one.model,
          vendor: one.manufacturer,
          description: 'Metering plug',
          exposes: [
            { type: 'numeric', name: 'power', property: 'power', unit: 'W', access: 1 },
            { type: 'numeric', name: 'energy', property: 'energy', unit: 'kWh', access: 1 },
            { type: 'numeric', name: 'temperature', property: 'temperature', unit: '°C', access: 1 },
          ],
        },
      })),
    ),
    keep(`zigbee2mqtt/${device}/availability`, { state: 'online' }),
  ],
  report: ({ device, powerW, totalWh, temperatureC }) => [
    tell(`zigbee2mqtt/${device}`, {
      energy: kWh(totalWh),
      linkquality: 120,
      power: powerW,
      ...(temperatureC !== undefined && { temperature: temperatureC }),
    }),
  ],
}

/** Tasmota's documentation, "MQTT" and "Power monitoring"; its clock shows local time without a zone. */
const TASMOTA: Dialect = {
  announce: ({ device }) => [keep(`tele/${device}/LWT`, 'Online')],
  report: ({ device, timeMs, powerW, totalWh, temperatureC }, timeZone) => [
    tell(`tele/${device}/SENSOR`, {
      Time: new Date(timeMs).toLocaleString('sv-SE', { timeZone }).replace(' ', 'T'),
      ENERGY: { TotalStartTime: '2024-01-01T00:00:00', Total: kWh(totalWh), Power: powerW, Voltage: 230 },
      ...(temperatureC !== undefined && { DS18B20: { Id: '01131B123456', Temperature: temperatureC } }),
      TempUnit: 'C',
    }),
  ],
}

/** Shelly's API of the second generation, "MQTT" and the component Switch. */
const SHELLY: Dialect = {
  announce: ({ device }) => [keep(`${device}/online`, 'true')],
  report: ({ device, timeMs, powerW, totalWh, temperatureC }) => [
    tell(`${device}/events/rpc`, {
      src: device,
      dst: `${device}/events`,
      method: 'NotifyStatus',
      params: {
        ts: timeMs / 1000,
        'switch:0': {
          id: 0,
          output: true,
          apower: powerW,
          voltage: 230,
          aenergy: { total: Number(totalWh.toFixed(3)) },
        },
        ...(temperatureC !== undefined && { 'temperature:100': { id: 100, tC: temperatureC } }),
      },
    }),
  ],
}

const ESPHOME_SENSORS = [
  { name: 'power', unit: 'W', of: 'power', state: 'measurement' },
  { name: 'energy', unit: 'kWh', of: 'energy', state: 'total_increasing' },
  { name: 'temperature', unit: '°C', of: 'temperature', state: 'measurement' },
] as const

/** ESPHome's component "MQTT Client", with the discovery messages that it sends for Home Assistant. */
const ESPHOME: Dialect = {
  announce: ({ device, manufacturer, model }, all) => {
    const mac = (0x240ac4000000 + all.length).toString(16)
    return [
      keep(`${device}/status`, 'online'),
      ...ESPHOME_SENSORS.map(({ name, unit, of, state }) =>
        keep(`homeassistant/sensor/${device}/${name}/config`, {
          dev_cla: of,
          unit_of_meas: unit,
          stat_cla: state,
          name,
          stat_t: `${device}/sensor/${name}/state`,
          avty_t: `${device}/status`,
          uniq_id: `${mac}-sensor-${name}`,
          dev: { ids: mac, name: device, sw: 'esphome v2025.2.0', mdl: model, mf: manufacturer },
        }),
      ),
    ]
  },
  report: ({ device, powerW, totalWh, temperatureC }) => [
    tell(`${device}/sensor/energy/state`, kWh(totalWh).toFixed(3)),
    tell(`${device}/sensor/power/state`, String(powerW)),
    ...(temperatureC === undefined
      ? []
      : [tell(`${device}/sensor/temperature/state`, temperatureC.toFixed(1))]),
  ],
}

const homieId = (device: string): string => device.toLowerCase().replace(/[^a-z0-9]+/g, '-')

/** The Homie convention, version 4: every message is retained. */
const HOMIE: Dialect = {
  announce: ({ device }) => {
    const base = `homie/${homieId(device)}`
    const property = (name: string, unit: string) => [
      keep(`${base}/meter/${name}/$name`, name),
      keep(`${base}/meter/${name}/$datatype`, 'float'),
      keep(`${base}/meter/${name}/$unit`, unit),
    ]
    return [
      keep(`${base}/$homie`, '4.0.0'),
      keep(`${base}/$name`, device),
      keep(`${base}/$state`, 'init'),
      keep(`${base}/$nodes`, 'meter'),
      keep(`${base}/meter/$name`, 'Meter'),
      keep(`${base}/meter/$type`, 'meter'),
      keep(`${base}/meter/$properties`, 'power,energy,temperature'),
      ...property('power', 'W'),
      ...property('energy', 'kWh'),
      ...property('temperature', '°C'),
      keep(`${base}/$state`, 'ready'),
    ]
  },
  report: ({ device, powerW, totalWh, temperatureC }) => {
    const base = `homie/${homieId(device)}/meter`
    return [
      keep(`${base}/energy`, kWh(totalWh).toFixed(3)),
      keep(`${base}/power`, String(powerW)),
      ...(temperatureC === undefined ? [] : [keep(`${base}/temperature`, String(temperatureC))]),
    ]
  },
}

const DIALECTS: Readonly<Record<FleetName, Dialect>> = {
  zigbee2mqtt: ZIGBEE2MQTT,
  tasmota: TASMOTA,
  shelly: SHELLY,
  esphome: ESPHOME,
  homie: HOMIE,
}

/** Wh that a counter stands at when its device is first heard: nobody's plug is new. */
const COUNTER_START_WH = 12_000

/**
 * A sink for the simulator's readings that publishes what such devices would. A device waits for the acknowledgement of what it
 * said before it goes on, and for no other device. Resolves when all of it is published.
 */
export function createFleet(options: {
  as: FleetName
  timeZone: string
  publish: (publication: Publication, atMs: number) => Promise<void>
}): Sink {
  const { publish, timeZone } = options
  const dialect = DIALECTS[options.as]
  const known = new Map<string, Measured>()
  return {
    async append(messages) {
      const saying = new Map<string, Promise<void>>()
      for (const { value } of messages) {
        const reading = JSON.parse(Buffer.from(value).toString('utf8')) as Reported
        const before = known.get(reading.device_id)
        const measured: Measured = {
          device: reading.device_id,
          timeMs: Date.parse(reading.timestamp),
          powerW: reading.power_usage,
          totalWh: (before?.totalWh ?? COUNTER_START_WH) + reading.energy_consumption_wh,
          temperatureC: reading.temperature,
          manufacturer: reading.manufacturer ?? 'Acme',
          model: reading.model ?? 'PM-1',
        }
        known.set(measured.device, measured)
        const said = before ? [] : dialect.announce(measured, [...known.values()])
        const publications = [...said, ...dialect.report(measured, timeZone)]
        const say = async (): Promise<void> => {
          for (const publication of publications) await publish(publication, measured.timeMs)
        }
        const last = saying.get(measured.device)
        saying.set(measured.device, last === undefined ? say() : last.then(say))
      }
      await Promise.all(saying.values())
    },
  }
}

/** The fields of the simulator's readings that such devices report. */
interface Reported {
  device_id: string
  timestamp: string
  power_usage: number
  energy_consumption_wh: number
  temperature?: number
  manufacturer?: string
  model?: string
}
