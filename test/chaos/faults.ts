/** What is done to the platform while it works. */
import type { ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaNode } from '../servers/kafka.ts'
import { tableFolders, tearFiles, tearNewestEntry, type Disk } from './disk.ts'
import { command, run, startPlatform, type Place, type Platform, type Target } from './platform.ts'
import type { Random } from './random.ts'
import { importFile, type ReadingId } from './senders.ts'

/** What was done, added up. */
export interface Tally {
  /** SIGKILLs by process. */
  killed: Record<string, number>
  /** All else, by kind. */
  faults: Record<string, number>
}

export interface World {
  place: Place
  disk: Disk
  random: Random
  commands: readonly (readonly string[])[]
  platform: Platform
  broker: KafkaNode | undefined
  tally: Tally
  /** Files given to `smarthouse import`, and what they must come to; said again until it is done. */
  imports: { file: string; ids: readonly ReadingId[] }[]
  /** What is wrong already. */
  problems: string[]
  say(text: string): void
}

export const kills = ({ killed }: Tally): number => Object.values(killed).reduce((sum, n) => sum + n, 0)

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1
}

function send(target: Target, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(target.pid, signal)
  } catch {
    // It was quicker.
    return false
  }
}

function kill(world: World, target: Target): void {
  if (send(target, 'SIGKILL')) count(world.tally.killed, target.name)
}

async function killOne(world: World): Promise<void> {
  const targets = world.platform.targets()
  if (targets.length > 0) kill(world, world.random.pick(targets))
}

async function killAll(world: World): Promise<void> {
  for (const target of world.platform.targets()) kill(world, target)
}

/** Asleep for a while, as a laptop whose lid was closed, or a process on a machine without memory. */
async function pauseOne(world: World): Promise<void> {
  const target = world.random.pick(world.platform.targets())
  if (!target || !send(target, 'SIGSTOP')) return
  count(world.tally.faults, 'SIGSTOP')
  await sleep(world.random.between(200, 2_500))
  if (world.random() < 0.3) kill(world, target)
  send(target, 'SIGCONT')
}

async function fillDisk(world: World): Promise<void> {
  count(world.tally.faults, 'disk full')
  const mend = world.disk.fill()
  try {
    await sleep(world.random.between(500, 2_500))
    if (world.random() < 0.5) await killOne(world)
    await sleep(world.random.between(0, 1_000))
  } finally {
    mend()
  }
}

async function makeReadOnly(world: World): Promise<void> {
  const { data } = world.place
  const folder = world.random.pick([
    join(data, 'lake', 'bronze'),
    join(data, 'lake', 'silver'),
    join(data, 'lake', 'gold'),
  ])
  const mend = world.disk.makeReadOnly(folder)
  if (!mend) return
  count(world.tally.faults, 'read-only folder')
  await sleep(world.random.between(500, 2_500))
  mend()
}

async function jumpClock(world: World): Promise<void> {
  count(world.tally.faults, 'clock jump')
  const hours = world.random.pick([-48, -1, -1 / 60, 1 / 60, 1, 48])
  writeFileSync(world.place.clockFile, String(Math.round(hours * 3_600_000)))
  await sleep(world.random.between(500, 3_000))
  writeFileSync(world.place.clockFile, '0')
}

/** Somebody starts the whole platform a second time on the folder, or a stage beside the one that runs. */
async function startTwice(world: World): Promise<void> {
  count(world.tally.faults, 'second instance')
  const words = world.random.pick([
    ['stages'],
    ['silver'],
    ['bronze'],
    ['up', '--no-open', '--no-simulator', '--port', '0'],
  ])
  const second = startPlatform(world.place, [words])
  await sleep(world.random.between(1_000, 4_000))
  if (world.random() < 0.7)
    for (const target of second.targets()) kill(world, { ...target, name: `second ${target.name}` })
  await second.stop()
}

async function lookAfter(world: World): Promise<void> {
  count(world.tally.faults, 'upkeep beside')
  const child = command(world.place, ['lake', world.random.pick(['optimize', 'vacuum', 'clean'])])
  await endSoon(world, child, 'lake')
}

async function importSome(world: World): Promise<void> {
  count(world.tally.faults, 'import broken off')
  const device = `import${world.imports.length}`
  const { text, ids } = importFile(device, 1_000)
  const file = join(world.place.data, '..', '..', `${device}.jsonl`)
  writeFileSync(file, text)
  world.imports.push({ file, ids })
  await endSoon(world, command(world.place, ['import', file]), 'import')
}

/** Killed at some moment, unless it was quicker. */
async function endSoon(world: World, child: ChildProcess, name: string): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const timer = setTimeout(() => kill(world, { name, pid: child.pid! }), world.random.between(300, 3_000))
  await ended
  clearTimeout(timer)
}

/** The power fails: everything is gone at once, and what was half written lies there. */
async function failPower(world: World): Promise<void> {
  count(world.tally.faults, 'power failure')
  await killAll(world)
  await world.platform.stop()
  const lake = join(world.place.data, 'lake')
  if (tableFolders(lake).length > 0)
    for (let torn = 0; torn < 3; torn++) {
      count(world.tally.faults, 'torn file')
      world.say(`tore ${tearFiles(lake, world.random)}`)
    }
  if (world.random() < 0.5) await tearAndRepair(world, lake)
  world.platform = startPlatform(world.place, world.commands)
}

/** The commit before the failure is torn: the platform must not go on with it, and goes on once it has been moved aside. */
async function tearAndRepair(world: World, lake: string): Promise<void> {
  const torn = tearNewestEntry(lake, world.random)
  if (torn === undefined) return
  count(world.tally.faults, 'torn newest log entry')
  world.say(`tore ${torn}`)
  const found = await run(world.place, ['lake', 'check'])
  if (found.code !== 3)
    world.problems.push(`lake check did not find ${torn} torn, but ended with ${found.code}`)
  const repaired = await run(world.place, ['lake', 'check', '--repair'])
  if (!repaired.output.includes('was moved to'))
    world.problems.push(
      `lake check --repair did not move ${torn} aside: ${repaired.output}${repaired.errors}`,
    )
}

/** The broker is stopped, or killed, and comes back. */
async function stopBroker(world: World): Promise<void> {
  const { broker, random } = world
  if (!broker) return
  if (random() < 0.5) {
    count(world.tally.faults, 'broker stopped')
    await broker.stop()
  } else {
    count(world.tally.killed, 'Kafka broker')
    await broker.kill()
  }
  await sleep(random.between(0, 2_000))
  await broker.start()
}

const FAULTS: readonly (readonly [weight: number, does: (world: World) => Promise<void>])[] = [
  [24, killOne],
  [2, killAll],
  [3, pauseOne],
  [1.5, fillDisk],
  [1.5, makeReadOnly],
  [2, jumpClock],
  [1.5, startTwice],
  [1.5, lookAfter],
  [1, importSome],
  [1.5, failPower],
]

/** One fault after another until so many processes were killed. */
export async function rage(world: World, wanted: number): Promise<void> {
  const { random, tally } = world
  const until = kills(tally) + wanted
  const faults = world.broker ? [...FAULTS, [1.5, stopBroker] as const] : FAULTS
  const all = faults.reduce((sum, [weight]) => sum + weight, 0)
  while (kills(tally) < until) {
    await sleep(random() < 0.25 ? random.between(20, 300) : random.between(300, 2_000))
    let left = random() * all
    const [, fault] = faults.find(([weight]) => (left -= weight) < 0) ?? faults[0]!
    await fault(world)
  }
}
