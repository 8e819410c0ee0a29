import { examine, type Finding } from '../doctor/examine.ts'
import { patientOf } from '../doctor/patient.ts'
import { COMMON_OPTIONS, JSON_OPTION, wholeNumber, type Command } from './command.ts'

const SIGN = { ok: '✓', wrong: '✗', note: '·', skipped: '–' } as const

export const DOCTOR: Command = {
  name: 'doctor',
  summary:
    'look for what is wrong with the installation, the data folder and the flow of readings, and say the cure',
  options: {
    ...COMMON_OPTIONS,
    port: { value: 'PORT', description: 'the port that `up` is to take; default: that of the configuration' },
    ...JSON_OPTION,
  },
  examples: ['smarthouse doctor', 'smarthouse doctor --data /srv/house --json'],
  exitCodes: { 1: 'something is wrong' },
  async run(args) {
    const port = args.text('port')
    const findings = await examine(
      patientOf(args, port === undefined ? undefined : wholeNumber('--port', port, 0, 65_535)),
    )
    const wrong = findings.filter(({ state }) => state === 'wrong').length
    console.log(
      args.flag('json')
        ? JSON.stringify({ ok: wrong === 0, findings }, null, 2)
        : [...findings.map(lineOf), '', wrong === 0 ? 'Nothing is wrong.' : `Wrong: ${wrong}.`].join('\n'),
    )
    return wrong === 0 ? 0 : 1
  },
}

function lineOf({ code, state, what, cure }: Finding): string {
  const line = `${SIGN[state]} ${what}.`
  if (state === 'wrong') return `${line} [${code}]\n  → ${cure}`
  return cure === null ? line : `${line}\n  → ${cure}`
}
