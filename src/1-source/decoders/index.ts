/** Every decoder, and which of them a message belongs to: told by its topic, its shape and what was learned. */
import { isKept, type Context, type Decoder, type Outcome } from './decoder.ts'
import { MAX_PAYLOAD_BYTES, Message } from './message.ts'
import { EMON } from './emon.ts'
import { ESPHOME } from './esphome.ts'
import { ESPURNA, TUYA } from './espurna.ts'
import { HOMEASSISTANT, HOMEASSISTANT_DISCOVERY } from './homeassistant.ts'
import { HOMEWIZARD } from './homewizard.ts'
import { HOMIE } from './homie.ts'
import { MAPPED, propose } from './mapped.ts'
import { OPENMQTTGATEWAY } from './openmqttgateway.ts'
import { SHELLY_GEN1 } from './shelly-gen1.ts'
import { SHELLY_GEN2 } from './shelly-gen2.ts'
import { SMARTTHINGS } from './smartthings.ts'
import { TASMOTA } from './tasmota.ts'
import { ZIGBEE2MQTT } from './zigbee2mqtt.ts'
import { ZWAVE } from './zwave.ts'

/** In this order: the more a protocol's messages are like no other's, the earlier. */
export const DECODERS: readonly Decoder[] = [
  HOMEASSISTANT_DISCOVERY,
  HOMEWIZARD,
  SMARTTHINGS,
  TUYA,
  SHELLY_GEN1,
  SHELLY_GEN2,
  OPENMQTTGATEWAY,
  ZWAVE,
  TASMOTA,
  ZIGBEE2MQTT,
  HOMIE,
  EMON,
  ESPURNA,
  HOMEASSISTANT,
  MAPPED,
  ESPHOME,
]

/** The start of a topic that no device measures under. */
const BROKER_TOPIC = /^\$(?:SYS|share)\//
const MAX_TOPIC_CHARS = 2_000

/** What a topic says by itself: devices send under few, again and again. */
interface Route {
  topic: string
  levels: readonly string[]
  /** Those that may read it, in their order; none where it is the broker's own. */
  decoders: readonly Decoder[]
  isBrokers: boolean
}

/** Only remembered work: forgotten as a whole when somebody invents topics. */
const routes = new Map<string, Route>()
const MAX_ROUTES = 20_000
const MAX_REMEMBERED_CHARS = 300

function routeOf(topic: string): Route {
  const known = routes.get(topic)
  if (known !== undefined) return known
  const bounded = topic.slice(0, MAX_TOPIC_CHARS)
  const levels = bounded.split('/')
  const isBrokers = BROKER_TOPIC.test(bounded)
  const decoders = DECODERS.filter(({ mayRead }) => mayRead === undefined || mayRead(bounded, levels))
  const route: Route = { topic: bounded, levels, decoders, isBrokers }
  if (routes.size >= MAX_ROUTES) routes.clear()
  if (topic.length <= MAX_REMEMBERED_CHARS) routes.set(topic, route)
  return route
}

/**
 * What a message says. The first reading carries the payload as it came in `raw`, so that nothing of it is lost. Pure; never
 * throws; bounded by the size of the message.
 */
export function decode(topic: string, payload: Uint8Array, context: Context): Outcome {
  const route = routeOf(topic)
  if (route.isBrokers) return { why: 'no_telemetry', protocol: 'mqtt' }
  if (payload.byteLength > MAX_PAYLOAD_BYTES) return { why: 'too_large' }
  const message = new Message(route.topic, route.levels, payload)
  const text = message.text()
  if (text === undefined) return { why: 'not_text' }
  if (text === '') return { why: 'empty' }
  for (const decoder of route.decoders) {
    let outcome
    try {
      outcome = decoder.decode(message, context)
    } catch {
      // A message that fails would be sent again for ever: it is kept, and says why.
      return { why: 'decoder_failed', protocol: decoder.protocol }
    }
    if (outcome !== undefined) return finish(outcome, message, context)
  }
  const broken = (text[0] === '{' || text[0] === '[') && message.json() === undefined
  if (broken) return { why: 'broken_json' }
  const proposal = propose(message)
  return { why: 'unknown', ...(proposal && { proposal }) }
}

/** A retained message is state; what was measured is marked with where it came from. */
function finish(outcome: Outcome, message: Message, context: Context): Outcome {
  if (isKept(outcome)) return outcome
  for (const reading of outcome.readings) reading.source_topic = message.topic
  const [first] = outcome.readings
  if (first) first.raw = message.text()!
  if (context.retained !== true || outcome.readings.length === 0) return outcome
  return { ...outcome, state: outcome.readings, readings: [] }
}
