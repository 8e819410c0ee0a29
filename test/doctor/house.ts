/** A house to be examined, and what is looked for in the findings. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { parseWords, type Command } from '../../src/commands/command.ts'
import { DOCTOR } from '../../src/commands/doctor.ts'
import { examine, type Finding } from '../../src/doctor/examine.ts'
import { patientOf, type Patient } from '../../src/doctor/patient.ts'
import type { ErrorCode } from '../../src/error-catalogue.ts'
import { beginSettings } from '../../src/main.ts'
import { dataFolder } from '../house/run-cli.ts'

/** The words of a command line on a data folder, with a configuration of its own beside it. */
export function house(t: TestContext, config = '') {
  const data = dataFolder(t)
  const file = `${data}.yaml`
  // A port of the system's choice: what else runs on this machine says nothing here.
  writeFileSync(file, `server: { port: 0 }\n${config}`)
  const words = ['--data', data, '--config', file]
  const args = (command: Command) => parseWords(command, words)
  return {
    data,
    words,
    begin: () => beginSettings(args(DOCTOR)),
    run: (command: Command) =>
      command.run(parseWords(command, [...words, '--once']), new AbortController().signal),
    diagnose: (as: Partial<Patient> = {}) => examine({ ...patientOf(args(DOCTOR), undefined), ...as }),
  }
}

export function wrong(findings: readonly Finding[], code: ErrorCode, what: RegExp, cure: RegExp): void {
  const found = findings.filter((finding) => finding.state === 'wrong' && finding.code === code)
  const seen = JSON.stringify(findings, null, 1)
  assert.ok(
    found.some((finding) => what.test(finding.what) && cure.test(finding.cure ?? '')),
    `${code} ${what} ${cure}: ${seen}`,
  )
}
export const fine = (findings: readonly Finding[], code: ErrorCode): void =>
  assert.deepEqual(
    findings.filter((finding) => finding.code === code && finding.state === 'wrong'),
    [],
  )
