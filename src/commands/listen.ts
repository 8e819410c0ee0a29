import { once } from 'node:events'
import { resolve } from 'node:path'
import { createIntake } from '../1-source/intake.ts'
import { listen } from '../1-source/mqtt/listener.ts'
import { requireNamedFiles } from '../config-file.ts'
import { PlatformError } from '../errors.ts'
import { beginSettings, openConfig, openDevices, openStreamAlone } from '../main.ts'
import { beginLog } from '../run/log.ts'
import { tellDoing } from '../run/part.ts'
import { withMessages } from './messages.ts'
import { COMMON_OPTIONS, type Command } from './command.ts'

const TELL_EVERY_MS = 2000

export const LISTEN: Command = {
  name: 'listen',
  summary: 'take in what devices publish on other MQTT brokers (sources.brokers)',
  options: COMMON_OPTIONS,
  examples: ['smarthouse listen', 'smarthouse listen --config house.yaml'],
  async run(args, stop) {
    const { config, baseDir } = openConfig(args)
    const { brokers, mappings } = config.sources
    if (brokers.length === 0)
      throw new PlatformError(
        'config_invalid',
        'The configuration names no broker to listen to',
        'Add sources.brokers, for example: [{ url: "mqtt://127.0.0.1:1883" }].',
      )
    requireNamedFiles(brokers, baseDir)
    const settings = await beginSettings(args)
    const say = beginLog('listen', settings)
    const log = await openStreamAlone(settings, stop)
    const registry = await openDevices(settings)
    const intake = withMessages(createIntake({ sink: log, registry, mappings, timeZone: config.time_zone }))
    const file = (path: string | undefined) => (path === undefined ? undefined : resolve(baseDir, path))
    const listeners = brokers.map((broker) =>
      listen({
        ...broker,
        version: broker.version === '5' ? 5 : 4,
        clientId: broker.client_id,
        tenant: broker.tenant_id,
        caFile: file(broker.ca_file),
        certFile: file(broker.cert_file),
        keyFile: file(broker.key_file),
        intake,
        say,
      }),
    )
    const telling = setInterval(() => {
      registry.flush()
      const connected = listeners.filter((listener) => listener.isConnected()).length
      tellDoing(`${connected} of ${brokers.length} brokers`, { connected, ...intake.counts() })
    }, TELL_EVERY_MS)
    try {
      if (!stop.aborted) await once(stop, 'abort')
      return 0
    } finally {
      clearInterval(telling)
      for (const listener of listeners) await listener.close()
      registry.close()
      await log.close()
    }
  },
}
