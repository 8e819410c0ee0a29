import { entryOf, TROUBLES, type ErrorCode, type TroubleCode } from '../error-catalogue.ts'
import { isPlatformError } from '../errors.ts'
import { kafkaBroker, mqttBrokers } from './brokers.ts'
import type { Patient } from './patient.ts'
import { dataFlow } from './data-flow.ts'
import { anotherInstance, failingParts, newerFolder, unwritableFolder } from './folder.ts'
import { dashboard, installation, systemNode } from './installation.ts'
import { clock, disk, ports } from './machine.ts'

/** What a check says. `note` is worth knowing and nothing wrong; `skipped` could not be looked at, or does not apply. */
export interface Verdict {
  state: 'ok' | 'wrong' | 'note' | 'skipped'
  /** What was seen: one sentence, without the point. */
  what: string
  /** What to do, where it is more exact than what the catalogue says of the code. */
  cure?: string
  /** Where it is another error than the one that was looked for. */
  code?: ErrorCode
}

export interface Finding {
  code: ErrorCode
  state: Verdict['state']
  what: string
  /** null: nothing is to be done. */
  cure: string | null
}

type Check = (patient: Patient) => Verdict | Verdict[] | Promise<Verdict | Verdict[]>

/** One check for every trouble of the catalogue: the type holds the two together. */
const CHECKS: Record<TroubleCode, Check> = {
  node_too_old: systemNode,
  installation_incomplete: installation,
  port_in_use: ports,
  already_running: anotherInstance,
  disk_full: disk,
  data_folder_unwritable: unwritableFolder,
  data_folder_newer: newerFolder,
  clock_wrong: clock,
  stream_unreachable: kafkaBroker,
  mqtt_unreachable: mqttBrokers,
  dashboard_not_built: dashboard,
  no_data: dataFlow,
  part_failing: failingParts,
}

/** Looks for every trouble, in the order of the catalogue. Changes nothing that a running platform uses. */
export async function examine(patient: Patient): Promise<Finding[]> {
  const findings: Finding[] = []
  if (patient.configError) findings.push(findingOf('config_invalid', told(patient.configError)))
  for (const code of TROUBLES) {
    const verdicts = await Promise.try(CHECKS[code], patient).catch(told)
    for (const verdict of [verdicts].flat()) findings.push(findingOf(code, verdict))
  }
  return findings
}

/** An error that stands in the way of a look is itself what is wrong. */
function told(error: unknown): Verdict {
  if (isPlatformError(error))
    return { state: 'wrong', what: error.message, cure: error.cure, code: error.code }
  return { state: 'wrong', what: `It cannot be looked at: ${(error as Error).message}` }
}

function findingOf(looked: ErrorCode, { state, what, cure, code = looked }: Verdict): Finding {
  const needsCure = state === 'wrong' || (state === 'note' && cure !== undefined)
  return { code, state, what: what.replace(/\.$/, ''), cure: needsCure ? (cure ?? entryOf(code).cure) : null }
}
