/** The doors that lead into the stream, over one house: all that they took must be in Bronze in the end. */
import assert from 'node:assert/strict'
import fastify from 'fastify'
import mqtt from 'mqtt'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ingestion } from '../../src/1-source/http/ingestion.ts'
import { understandFiles } from '../../src/1-source/import/check.ts'
import { importFiles } from '../../src/1-source/import/import.ts'
import { createIntake } from '../../src/1-source/intake.ts'
import { startBroker } from '../../src/1-source/mqtt/broker.ts'
import { openRegistry } from '../../src/1-source/registry/registry.ts'
import { openHouse, type House } from '../3-bronze/house.ts'
import { orRefused, TAKEN, texts, type Door } from './door.ts'

const READING =
  '{"device_id":"plug","timestamp":"2026-01-15T10:30:00Z","power_usage":12.5,"metrics":{"voltage_v":230}}'
const READINGS = texts(READING, `[${READING},${READING}]`, `${READING}\n${READING}\n`)

/** Every message of the stream stands in Bronze: as a reading, or as the text that it was. */
async function requireLanded({ landAll, log, rows }: House): Promise<void> {
  await landAll()
  const [bounds] = await log.bounds()
  const landed = new Set((await rows()).map((row) => Number(row['stream_offset'])))
  const missing = Array.from({ length: bounds!.end - bounds!.start }, (_, n) => bounds!.start + n).filter(
    (offset) => !landed.has(offset),
  )
  assert.deepEqual(missing.slice(0, 5), [], 'messages of the stream that are not in Bronze')
}

async function http(house: House): Promise<Door> {
  const app = fastify()
  await ingestion(app, { sink: house.log, requestsDir: house.dir, keys: [] })
  const influx = texts('power,device=plug value=12.5 1768473000000000000', 'm,t=a x=1i,y="s",z=t')
  return {
    name: 'http',
    seeds: [...READINGS, ...influx, gzipSync(READING)],
    async take(input, random) {
      const urls = [
        '/api/v1/telemetry',
        '/write?db=x&precision=s',
        '/api/v2/write?precision=ms',
        '/api/v1/shelly/x?power=1',
      ]
      const url =
        random.pick(urls) +
        (random() < 0.2 ? `&q=${encodeURIComponent(input.subarray(0, 50).toString('latin1'))}` : '')
      const headers: Record<string, string> = {
        'content-type': random.pick(['application/json', 'text/plain', 'x/y']),
      }
      if (random() < 0.2) headers['content-encoding'] = random.pick(['gzip', 'deflate', 'br', 'nonsense'])
      if (random() < 0.2) headers['idempotency-key'] = `k${Math.floor(random() * 50)}`
      const answer = await app.inject({ method: 'POST', url, headers, payload: input })
      if (answer.statusCode < 300) return TAKEN
      assert.notEqual(answer.statusCode, 500, answer.body)
      if (answer.statusCode !== 422 || answer.body.includes('"code"'))
        assert.match(answer.body, /"(code|error|detail|message)"/, `${answer.statusCode} without a reason`)
      return `refused: ${answer.statusCode}`
    },
    check: () => requireLanded(house),
    close: async () => void (await app.close()),
  }
}

/** What any producer may write to the topic, embedded or Kafka. */
function stream(house: House): Door {
  return {
    name: 'stream',
    seeds: READINGS,
    take: (input, random) =>
      orRefused(() =>
        house.log.append([
          { key: random() < 0.5 ? null : input.subarray(0, 20).toString('latin1'), value: input },
        ]),
      ),
    check: () => requireLanded(house),
    close: async () => undefined,
  }
}

function intakeOf(house: House) {
  const registry = openRegistry(house.dir)
  const intake = createIntake({ sink: house.log, registry, timeZone: 'Europe/Berlin', mappings: [] })
  return { registry, intake }
}

const TOPICS = [
  'tele/plug/SENSOR',
  'zigbee2mqtt/lamp',
  'shellies/s/emeter/0/power',
  'homeassistant/sensor/a/config',
  'a/b',
]

function mqttMessages(house: House): Door {
  const { registry, intake } = intakeOf(house)
  return {
    name: 'mqtt messages',
    seeds: texts(
      '{"Time":"2026-01-15T10:30:00","ENERGY":{"Power":12,"Total":1.5}}',
      '{"power":12,"linkquality":90}',
      '12.5',
      READING,
    ),
    take: (payload, random) =>
      orRefused(() =>
        intake.take({
          topic: random() < 0.8 ? random.pick(TOPICS) : payload.subarray(0, 80).toString('latin1'),
          payload,
          retained: random() < 0.2,
          redelivered: random() < 0.2,
          tenant: 'home',
        }),
      ),
    check: () => requireLanded(house),
    close: async () => registry.close(),
  }
}

const CONNECT = Buffer.from([0x10, 0x0f, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 3, 0x61, 0x62, 0x63])
const PUBLISH = Buffer.concat([
  Buffer.from([0x32, 0x0d, 0, 3]),
  Buffer.from('a/b'),
  Buffer.from([0, 1]),
  Buffer.from('{"a":1}'),
])
const SUBSCRIBE = Buffer.from([0x82, 8, 0, 1, 0, 3, 0x61, 0x2f, 0x23, 1])
const ANSWER_MS = 150

/** Bytes on the socket: a client that does not speak MQTT as it should. */
async function mqttPackets(house: House): Promise<Door> {
  const { registry, intake } = intakeOf(house)
  const limits = { messagesPerSecond: 1_000, burst: 1_000 }
  const broker = await startBroker({
    host: '127.0.0.1',
    port: 0,
    users: [],
    intake,
    ...limits,
    say: () => undefined,
  })
  return {
    name: 'mqtt packets',
    seeds: [CONNECT, Buffer.concat([CONNECT, PUBLISH]), Buffer.concat([CONNECT, SUBSCRIBE, PUBLISH])],
    take: (input) =>
      new Promise((resolve) => {
        const socket = connect(broker.port, '127.0.0.1', () => socket.write(input))
        socket.on('error', () => undefined)
        socket.on('close', () => resolve(TAKEN))
        socket.setTimeout(ANSWER_MS, () => socket.destroy())
        setTimeout(() => socket.destroy(), 2 * ANSWER_MS)
      }),
    async check() {
      const client = await mqtt.connectAsync(
        `mqtt://127.0.0.1:${broker.port}`,
        { connectTimeout: 10_000 },
        false,
      )
      await client.publishAsync('tele/after/SENSOR', '{"Time":"2026-01-15T10:30:00","ENERGY":{"Power":1}}', {
        qos: 1,
      })
      await client.endAsync()
      await requireLanded(house)
    },
    async close() {
      await broker.close()
      registry.close()
    },
  }
}

function imports(house: House): Door {
  const csv = 'time,device_id,watt\n2026-01-15T10:30:00Z,plug,12.5\n2026-01-15T10:31:00Z,plug,13\n'
  let number = 0
  return {
    name: 'import',
    seeds: [
      ...texts(csv, csv.replaceAll(',', ';'), `${READING}\n${READING}\n`),
      gzipSync(csv),
      gzipSync(READING),
    ],
    async take(input, random) {
      const file = join(
        house.dir,
        `import-${number++ % 20}.${random.pick(['csv', 'jsonl', 'csv.gz', 'json', 'txt'])}`,
      )
      writeFileSync(file, input)
      const map = random() < 0.7 ? ['timestamp=time', 'power_usage=watt'] : []
      return await orRefused(async () => {
        const files = await understandFiles({ paths: [file], timeZone: 'Europe/Berlin', map: mapOf(map) })
        await importFiles(files, { log: house.log, ledgerDir: house.dir })
      })
    },
    check: () => requireLanded(house),
    close: async () => undefined,
  }
}

const mapOf = (pairs: readonly string[]): Record<string, string> =>
  Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string]))

export async function streamDoors(): Promise<{ doors: Door[]; close(): Promise<void> }> {
  const house = await openHouse()
  const doors = [
    await http(house),
    stream(house),
    mqttMessages(house),
    await mqttPackets(house),
    imports(house),
  ]
  return { doors, close: () => house.remove() }
}
