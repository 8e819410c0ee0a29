import { createIntake } from '../1-source/intake.ts'
import { poll } from '../1-source/poll/poll.ts'
import { PlatformError } from '../errors.ts'
import { beginSettings, openConfig, openDevices, openStreamAlone } from '../main.ts'
import { beginLog } from '../run/log.ts'
import { tellDoing } from '../run/part.ts'
import { withMessages } from './messages.ts'
import { COMMON_OPTIONS, type Command } from './command.ts'

const TELL_EVERY_MS = 2000

export const POLL: Command = {
  name: 'poll',
  summary: 'ask devices that only answer, by HTTP (sources.poll)',
  options: COMMON_OPTIONS,
  examples: ['smarthouse poll', 'smarthouse poll --config house.yaml'],
  async run(args, stop) {
    const { config } = openConfig(args)
    const { poll: devices, mappings } = config.sources
    if (devices.length === 0)
      throw new PlatformError(
        'config_invalid',
        'The configuration names no device to ask',
        'Add sources.poll, for example: [{ kind: tasmota, url: "http://192.168.1.20", device_id: plug-1 }].',
      )
    const settings = await beginSettings(args)
    const say = beginLog('poll', settings)
    const log = await openStreamAlone(settings, stop)
    const registry = await openDevices(settings)
    const intake = withMessages(createIntake({ sink: log, registry, mappings, timeZone: config.time_zone }))
    const telling = setInterval(() => {
      registry.flush()
      tellDoing(`${devices.length} devices are asked`, { ...intake.counts() })
    }, TELL_EVERY_MS)
    try {
      await Promise.all(devices.map((device) => poll(device, { intake, stop, say })))
      return 0
    } finally {
      clearInterval(telling)
      registry.close()
      await log.close()
    }
  },
}
