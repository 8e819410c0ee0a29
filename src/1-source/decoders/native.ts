/**
 * Which device a topic is of where its own protocol reads it. Zigbee2MQTT, Tasmota, Shelly and OpenMQTTGateway announce their devices to
 * Home Assistant too, under other ids: such an announcement speaks of a device that is known already, and makes no second one.
 */
import type { Lessons } from './decoder.ts'

export interface NativeDevice {
  protocol: string
  device_id: string
  /** Whether the protocol itself says what stands there; a virtual component of Shelly is a bare number, which the announcement explains. */
  reads: boolean
}

/** Virtual components, and values of Bluetooth sensors. */
export const SHELLY_VIRTUAL = /\/status\/(?:number|boolean|enum|text|bthomesensor):\d{1,5}$/

const FORMS: readonly (readonly [protocol: string, form: RegExp])[] = [
  ['shelly-gen1', /(?:^|\/)shellies\/([^/]+)\/./],
  ['shelly-gen2', /^(.+)\/status\/(?:[a-z][a-z0-9]*:\d{1,5}|sys|wifi|rpc)$/],
  ['tasmota', /^(?:tele|stat)\/(.+)\/[A-Z][A-Z_]*\d*$/],
  ['tasmota', /^(.+)\/(?:tele|stat)\/[A-Z][A-Z_]*\d*$/],
  ['openmqttgateway', /\/BTtoMQTT\/([^/]+)$/],
]

export function nativeDevice(topic: string, lessons: Lessons): NativeDevice | undefined {
  for (const [protocol, form] of FORMS) {
    const device_id = form.exec(topic)?.[1]
    if (device_id !== undefined) return { protocol, device_id, reads: !SHELLY_VIRTUAL.test(topic) }
  }
  const levels = topic.split('/')
  for (let length = 1; length < Math.min(4, levels.length); length += 1) {
    const base = levels.slice(0, length).join('/')
    const isBase = /^(?:zigbee2mqtt|z2m)/i.test(base) || lessons.get(`zigbee2mqtt/${base}`) !== undefined
    if (isBase && levels[length] !== 'bridge')
      return { protocol: 'zigbee2mqtt', device_id: levels.slice(length).join('/'), reads: true }
  }
  return undefined
}
