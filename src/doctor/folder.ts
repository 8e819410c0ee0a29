import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FORMAT_VERSION } from '../data-folder.ts'
import { existing } from './disk.ts'
import type { Verdict } from './examine.ts'
import type { Patient } from './patient.ts'

/** A supervisor writes what it does every second; one that is silent for so long hangs, or was ended. */
const SILENT_MS = 60_000

export function unwritableFolder({ root }: Patient): Verdict {
  const place = existing(root)
  const probe = join(place, `.doctor-${process.pid}`)
  try {
    accessSync(place, constants.W_OK)
    // Permissions say nothing of a disk that went read-only.
    if (place === root) writeFileSync(probe, '')
    return { state: 'ok', what: place === root ? `${root} can be written` : `${root} can be made` }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    // That the disk is full is told by its own check.
    if (code === 'ENOSPC') return { state: 'ok', what: `${root} can be written where there is space` }
    const why = code === 'EROFS' ? 'its disk is read-only' : message
    return { state: 'wrong', what: `${root} cannot be written: ${why}` }
  } finally {
    rmSync(probe, { force: true })
  }
}

export function newerFolder({ root, marker }: Patient): Verdict {
  if (marker === null) return { state: 'ok', what: `There is no data in ${root} yet; \`up\` begins there` }
  if (typeof marker.format !== 'number')
    return {
      state: 'wrong',
      code: 'data_folder_foreign',
      what: `${join(root, 'smarthouse.json')} is damaged`,
      cure: `Restore it as {"platform":"smarthouse","format":${FORMAT_VERSION}} if this folder is the platform's.`,
    }
  if (marker.format > FORMAT_VERSION)
    return {
      state: 'wrong',
      what: `${root} has format ${marker.format}; this version knows ${FORMAT_VERSION}`,
    }
  if (marker.format < FORMAT_VERSION)
    return {
      state: 'note',
      what: `${root} has format ${marker.format}, of an older version; the next command upgrades it to ${FORMAT_VERSION}`,
    }
  return { state: 'ok', what: `${root} has format ${marker.format}` }
}

export function anotherInstance({ root, running, instance, nowMs }: Patient): Verdict {
  if (!running)
    return {
      state: 'ok',
      what: `Nothing runs on ${root}${instance ? '; the last platform ended without a clean stop, its data is safe' : ''}`,
    }
  if (!instance) return { state: 'note', what: `A platform is just starting, or being upgraded, on ${root}` }
  const silentMs = nowMs - Date.parse(instance.updated)
  const which = `process ${instance.pid}, since ${instance.started}`
  if (silentMs > SILENT_MS)
    return {
      state: 'wrong',
      what: `The platform on ${root} (${which}) has said nothing for ${Math.round(silentMs / 1000)} s`,
      cure: `End process ${instance.pid} and start the platform again; no acknowledged reading is lost by it.`,
    }
  return {
    state: 'note',
    what: `A platform runs on ${root} (${which})`,
    cure: `Open ${instance.url}; stop it with \`smarthouse down\`, or choose another folder with \`--data DIR\`.`,
  }
}

export function failingParts({ running, instance }: Patient): Verdict[] {
  if (!running || !instance) return [{ state: 'skipped', what: 'No part runs' }]
  const failing = instance.parts.flatMap(({ name, state, problem, last_error, restarts }): Verdict[] => {
    const why = problem ?? (state === 'waiting' ? (last_error ?? 'it ended') : null)
    if (why === null) return []
    const often = restarts > 0 ? ` (started again ${restarts} times)` : ''
    return [
      {
        state: 'wrong',
        what: `${name}${often}: ${why}`,
        cure: `See \`smarthouse logs ${name}\`; it is started again by itself once the cause is gone.`,
      },
    ]
  })
  return failing.length > 0 ? failing : [{ state: 'ok', what: 'Every part runs' }]
}

/** Whether there is a lake that this version reads as it is. */
export const hasLake = ({ root, marker }: Patient): boolean =>
  marker?.format === FORMAT_VERSION && existsSync(join(root, 'lake', 'bronze'))
