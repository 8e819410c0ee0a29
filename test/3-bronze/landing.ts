/** Lands a house's stream in a process of its own, which is meant to be killed; prints a line for each step. */
import { writeSync } from 'node:fs'
import { openHouse } from './house.ts'

const house = await openHouse(process.argv[2]!, { maxRecords: 700 })
for (;;) {
  const report = await house.stage.step({ final: false })
  writeSync(1, `${report.rows}\n`)
}
