import { once } from 'node:events'
import { createIntake } from '../1-source/intake.ts'
import { startBroker } from '../1-source/mqtt/broker.ts'
import { beginSettings, openDevices, openStreamAlone } from '../main.ts'
import { beginLog } from '../run/log.ts'
import { tellDoing } from '../run/part.ts'
import { withMessages } from './messages.ts'
import { COMMON_OPTIONS, type Command } from './command.ts'

const TELL_EVERY_MS = 2000

export const BROKER: Command = {
  name: 'broker',
  summary: 'the embedded MQTT broker alone',
  options: COMMON_OPTIONS,
  examples: ['smarthouse broker', 'SMARTHOUSE_SOURCES_MQTT_PORT=1884 smarthouse broker'],
  async run(args, stop) {
    const settings = await beginSettings(args)
    const { host, port, users, messages_per_s, burst } = settings.config.sources.mqtt
    const say = beginLog('broker', settings)
    const log = await openStreamAlone(settings, stop)
    const registry = await openDevices(settings)
    try {
      const intake = withMessages(
        createIntake({
          sink: log,
          registry,
          timeZone: settings.config.time_zone,
          mappings: settings.config.sources.mappings,
        }),
      )
      const broker = await startBroker({
        host,
        port,
        users,
        messagesPerSecond: messages_per_s,
        burst,
        intake,
        say,
      })
      say(`MQTT broker: ${host}:${broker.port}`)
      const telling = setInterval(() => {
        registry.flush()
        tellDoing(`${broker.clients()} clients`, { clients: broker.clients(), ...intake.counts() })
      }, TELL_EVERY_MS)
      if (!stop.aborted) await once(stop, 'abort')
      clearInterval(telling)
      await broker.close()
      return 0
    } finally {
      registry.close()
      await log.close()
    }
  },
}
