/** A producer in a process of its own: appends 0, 1, 2, … under one key and prints how many are acknowledged. */
import { writeSync } from 'node:fs'
import { message, openLog, type LogOpening } from './log.contract.ts'

const [opening, name, count] = process.argv.slice(2)
const log = await openLog(JSON.parse(opening!) as LogOpening)
const IN_FLIGHT = 8
for (let n = 0; n < Number(count); n += IN_FLIGHT) {
  const appends: Promise<void>[] = []
  for (let step = n; step < Math.min(n + IN_FLIGHT, Number(count)); step++) {
    appends.push(log.append([message(String(step), name!)]))
  }
  await Promise.all(appends)
  writeSync(1, `${n + appends.length}\n`)
}
await log.close()
