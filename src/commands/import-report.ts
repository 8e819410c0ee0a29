/** What `smarthouse import` says to people and scripts: progress, the report, and how a file would be understood. */
import { REASONS, type ImportProgress, type RefusedFile } from '../1-source/import/check.ts'
import type { ImportReport } from '../1-source/import/import.ts'
import type { FilePreview } from '../1-source/import/preview.ts'

/** What became of the rows. */
export interface Verdicts {
  accepted: number
  duplicate: number
  rejected: number
}

/** A line that is written over on a terminal; a line every few seconds elsewhere. */
export function tellProgress(): (progress: ImportProgress) => void {
  const everyMs = process.stderr.isTTY ? 200 : 5000
  let toldMs = performance.now()
  return ({ phase, filesDone, files, bytesDone, bytes, rows }) => {
    if (performance.now() - toldMs < everyMs) return
    toldMs = performance.now()
    const share = bytes > 0 ? Math.floor((100 * bytesDone) / bytes) : 0
    const text =
      phase === 'check'
        ? `checking file ${filesDone + 1} of ${files}`
        : `file ${filesDone + 1} of ${files}, ${share} %, ${rows} rows`
    process.stderr.write(process.stderr.isTTY ? `\r\u001B[K${text}` : `${text}\n`)
  }
}

export function print(report: ImportReport, verdicts: Verdicts | undefined, json: boolean): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001B[K')
  if (json) {
    console.log(JSON.stringify({ ...report, ...(verdicts && { verdicts }) }))
    return
  }
  const { rows, taken, readings, appended, unreadable, cells, notes, files } = report
  const there = appended < readings ? ` (${readings - appended} of them were there already)` : ''
  console.log(
    `${files.length} ${files.length === 1 ? 'file' : 'files'}: ${rows} rows read, ${taken} taken as ${readings} readings${there}, ${rows - taken} unreadable.`,
  )
  for (const [reason, { count, examples }] of Object.entries(unreadable)) {
    console.log(`  ${count} × ${REASONS[reason as keyof typeof REASONS]}:`)
    for (const { path, line, text } of examples)
      console.log(`    ${path}, line ${line}: ${text.slice(0, 100)}`)
  }
  if (cells > 0) console.log(`  ${cells} × a cell that is no number; the rest of its row was taken.`)
  for (const note of notes) console.log(`Note: ${note}`)
  if (verdicts)
    console.log(
      `Accepted ${verdicts.accepted}, duplicate ${verdicts.duplicate}, rejected ${verdicts.rejected}.`,
    )
  printRefused(report.refused)
}

/** What a folder or pattern gave besides telemetry. */
export function printRefused(refused: readonly RefusedFile[]): void {
  if (refused.length === 0) return
  const which = refused.length === 1 ? 'One file was' : `${refused.length} files were`
  console.error(`${which} left out:`)
  for (const { why, cure } of refused) console.error(`  ${why}\n    ${cure}`)
}

export function printPreview({ path, description, notes, devices, rows }: FilePreview): void {
  console.log(`${path}: ${description[0]}`)
  for (const line of description.slice(1)) console.log(`  ${line}`)
  for (const { device_id, parent_device_id, expected_interval_s } of devices)
    console.log(
      `  catalogue: ${device_id}${parent_device_id === undefined ? '' : ` lies behind ${parent_device_id}`}${expected_interval_s === undefined ? '' : ` reports every ${expected_interval_s} s`}`,
    )
  for (const { line, readings, fault } of rows) {
    if (fault !== undefined) console.log(`  line ${line}: ${REASONS[fault]}`)
    for (const { protocol: _, source_topic: __, ingest_kind: ___, ...reading } of readings)
      console.log(`  line ${line}: ${JSON.stringify(reading)}`)
  }
  for (const note of notes) console.log(`  Note: ${note}`)
}
