import type { Intake } from '../1-source/intake.ts'
import { isLogged, log } from '../run/log.ts'

/** At the level debug, and only there, each message is logged as it came. */
export function withMessages(intake: Intake): Intake {
  if (!isLogged('debug')) return intake
  return {
    ...intake,
    take: (arrival) => {
      log(`${arrival.topic}: ${Buffer.from(arrival.payload).toString('utf8').slice(0, 2000)}`, 'debug')
      return intake.take(arrival)
    },
  }
}
