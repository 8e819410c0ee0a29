/**
 * Every command that changes what is known, ended before one of its calls to the file system, killed or by Ctrl-C: afterwards the folder
 * opens whole, the same command said again does it, and the figures are what they must be. `npm run soak -- interrupted` tries each call.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ROOT } from '../house/run-cli.ts'
import { endedAt, type Moment } from './ended.ts'
import { ALONE, isTorn, type Place } from './interrupted-alone.ts'
import {
  again,
  aheadOf,
  copyFolder,
  expiredIn,
  openInterruptedHouse,
  requireDone,
  requireWhole,
  SAID,
} from './interrupted-house.ts'

const house = await openInterruptedHouse()
after(() => house.remove())

/** Starts a command that is ended at a call. */
const interrupted = (
  { data, config }: Place,
  said: readonly string[],
  at: number,
  by: Moment['by'],
): Promise<boolean> =>
  endedAt([join(ROOT, 'src', 'cli.ts'), ...said, '--data', data, '--config', config], {
    at,
    by,
    aheadDays: aheadOf(said),
  })

/** How many of the commands are ended in one run of the tests; another choice each time. */
const ENDED = 1
const anyMoment = (): number => 1 + Math.floor(Math.random() * 25)

test('a command that is ended at any moment leaves the folder whole, and said again it is done', async () => {
  const place = house.placeOf(join(house.home, 'each'))
  copyFolder(house.first, place.data)
  const chosen = SAID.map((said) => ({ said, lot: Math.random() })).toSorted((a, b) => a.lot - b.lot)
  const ended = new Set(chosen.slice(0, ENDED).map(({ said }) => said))
  for (const [index, said] of SAID.entries()) {
    if (said[1] === 'vacuum') {
      const { files, entries } = await expiredIn(place)
      assert.ok(files > 0 && entries > 0, 'there is something to delete')
    }
    if (ended.has(said)) {
      const by = index % 2 === 0 ? 'SIGKILL' : 'SIGINT'
      const at = anyMoment()
      await interrupted(place, said, at, by)
      await requireWhole(place, `${said.join(' ')}, ${by} at ${at}`)
    }
    await again(place, said)
  }
  await requireDone(place)
})

test('… and so does one that is said on a folder of its own', async () => {
  const alone = ALONE[Math.floor(Math.random() * ALONE.length)]!
  const by = Math.random() < 0.5 ? 'SIGKILL' : 'SIGINT'
  const place = house.placeOf(join(house.home, 'alone'))
  await alone.given(place)
  const said = alone.said(place)
  const at = anyMoment()
  await interrupted(place, said, at, by)
  if (existsSync(join(place.data, 'lake')) && !isTorn(said))
    await requireWhole(place, `${said.join(' ')}, ${by} at ${at}`)
  await again(place, said)
  await alone.done(place)
})
