import { createServer } from 'node:net'
import { portOwner } from '../run/port-owner.ts'
import { bytesText } from '../units.ts'
import { freeBytes } from './disk.ts'
import type { Verdict } from './examine.ts'
import type { Patient } from './patient.ts'

/** Below this the lake cannot merge its files any more. */
const LEAST_FREE_BYTES = 500e6
/** When this was written: a clock before it was never set. */
const WRITTEN_MS = Date.parse('2026-11-01T00:00:00Z')
/** Two clocks of one house may differ so much. */
const TOLERANCE_MS = 120_000

/** The ports that the configuration takes, and who has them. */
export async function ports(patient: Patient): Promise<Verdict[]> {
  const { config, running, instance } = patient
  if (!config) return [{ state: 'skipped', what: 'The ports are not known without the configuration' }]
  const { mqtt, http } = config.sources
  const wanted = [
    { name: 'dashboard', host: config.server.host as string, port: patient.port ?? config.server.port },
    ...(mqtt.enabled ? [{ name: 'MQTT broker', host: mqtt.host, port: mqtt.port }] : []),
    ...(http.host !== undefined ? [{ name: 'readings over HTTP', host: http.host, port: http.port }] : []),
  ].filter(({ port }) => port !== 0)
  if (wanted.length === 0) return [{ state: 'ok', what: 'Free ports are taken as they come' }]
  return await Promise.all(
    wanted.map(async ({ name, host, port }): Promise<Verdict> => {
      if (await isFree(host, port)) return { state: 'ok', what: `Port ${port} (${name}) is free` }
      const owner = portOwner(port)
      const own = [instance?.pid, ...(instance?.parts ?? []).map(({ pid }) => pid)]
      if (running && (owner === null || own.includes(owner.pid)))
        return { state: 'ok', what: `Port ${port} (${name}) is this platform's` }
      const by = owner ? `${owner.name} (process ${owner.pid})` : 'a program of another user'
      const cure = `End ${owner ? `process ${owner.pid}` : 'that program'}, or take another port${name === 'dashboard' ? `: --port ${port + 1}` : ' in the configuration'}.`
      return { state: 'wrong', what: `Port ${port} (${name}) is in use by ${by}`, cure }
    }),
  )
}

/** Whether somebody could listen there now. */
async function isFree(host: string, port: number): Promise<boolean> {
  const probe = createServer()
  return await new Promise((resolve, reject) => {
    probe.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    )
    probe.listen(port, host, () => probe.close(() => resolve(true)))
  })
}

export function disk({ root }: Patient): Verdict {
  const free = freeBytes(root)
  const what = `${bytesText(free)} are free where ${root} lies`
  return free < LEAST_FREE_BYTES ? { state: 'wrong', what: `Only ${what}` } : { state: 'ok', what }
}

/** The clock, held against what was written before: time does not go back. */
export function clock({ nowMs, marker, instance }: Patient): Verdict {
  const now = new Date(nowMs).toISOString()
  if (nowMs < WRITTEN_MS)
    return { state: 'wrong', what: `The clock says ${now}, which is before this program was written` }
  const marks = [
    ['the data folder was made', marker?.created],
    ['the platform last reported', instance?.updated],
  ] as const
  for (const [event, time] of marks) {
    const ms = typeof time === 'string' ? Date.parse(time) : NaN
    if (ms > nowMs + TOLERANCE_MS)
      return {
        state: 'wrong',
        what: `The clock says ${now}, but ${event} at ${String(time)}, which is later`,
      }
  }
  return { state: 'ok', what: `The clock says ${now}` }
}
