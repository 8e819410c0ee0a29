/** What the benchmarks of the whole platform share: starting it as a user does, its first figures, its memory. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(new URL('../bin/smarthouse.mjs', import.meta.url))
const PATIENCE_MS = 120_000

export interface House {
  url: string
  /** From the command to the line that names the address, s. */
  answeredS: number
  pid: number
  beganMs: number
  stop(): Promise<void>
}

/** `smarthouse up` on a free port, with settings from the environment. */
export async function startHouse(
  data: string,
  words: readonly string[],
  env: Record<string, string> = {},
): Promise<House> {
  const beganMs = performance.now()
  const child = spawn(process.execPath, [cli, 'up', '--no-open', '--port', '0', '--data', data, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const url = await until('the address', () => {
    if (child.exitCode !== null) throw new Error(`smarthouse up ended with exit code ${child.exitCode}`)
    return /Dashboard: (http:\S+)/.exec(output)?.[1]
  })
  const answeredS = (performance.now() - beganMs) / 1000
  return { url, answeredS, pid: child.pid!, beganMs, stop: () => stopped(child) }
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const closed = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGINT')
  await closed
}

export async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const deadlineMs = performance.now() + patienceMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > deadlineMs) throw new Error(`waited ${patienceMs / 1000} s in vain for ${what}`)
    await sleep(20)
  }
}

/** A figure of the Overview as soon as it is not null, and the seconds since the command. */
export async function firstFigure(house: House, which: 'power' | 'energy'): Promise<number> {
  await until(`the first ${which}`, async () => {
    const answer = await fetch(`${house.url}/api/v1/overview?range=7d`)
    if (!answer.ok) return undefined
    const { power_now, kpis } = (await answer.json()) as {
      power_now: { value_w: number | null }
      kpis: { total_energy_kwh: { value: number | null } }
    }
    return (which === 'power' ? power_now.value_w : kpis.total_energy_kwh.value) ?? undefined
  })
  return (performance.now() - house.beganMs) / 1000
}

/** Resident memory of a process and all below it, shared pages counted once, MB; undefined where the system does not tell (not Linux). */
export function residentMb(pid: number): number | undefined {
  if (!existsSync('/proc/self/smaps_rollup')) return undefined
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = readOrEmpty(join('/proc', name, 'stat'))
    // The command's name may hold spaces and brackets; the parent is the second field behind the last bracket.
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    parents.set(Number(name), parent)
  }
  const isBelow = (id: number | undefined): boolean =>
    id === pid || (id !== undefined && id > 1 && isBelow(parents.get(id)))
  let kb = 0
  for (const id of parents.keys())
    if (isBelow(id)) kb += Number(/^Pss:\s+(\d+)/m.exec(readOrEmpty(`/proc/${id}/smaps_rollup`))?.[1] ?? 0)
  return kb / 1024
}

/** A process may end while it is looked at. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
