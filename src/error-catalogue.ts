import { HTTP_ERRORS } from './error-catalogue-http.ts'
import type { ErrorEntry } from './error-catalogue-entry.ts'
import type { LakeErrorCode } from './lake/errors.ts'

/**
 * Every error that the platform tells on purpose, once. The command line takes the exit code from here, the server the
 * status, `smarthouse doctor` what it looks for, and docs/errors.md and the README's troubleshooting are written from it.
 * What is thrown says besides what exactly was wrong, and where.
 */
const PROGRAM_ERRORS = {
  node_too_old: {
    what: 'Node is older than the platform needs',
    where: 'the start scripts; `doctor`',
    cure: 'Install Node 20 or newer with npm; Node 26, which runs the platform, then comes with it.',
    sign: '`./start` ends at once, or the scripts show a syntax error',
  },
  installation_incomplete: {
    what: 'The installation is not whole: packages are missing or of another version',
    where: 'every command',
    cure: 'Run `npm ci` in the project (an installed package: install it again).',
    sign: '“Cannot find package …”, or a start that was interrupted while it installed',
  },
  port_in_use: {
    what: 'Another program listens on the port',
    where: '`up`, `serve`, `broker`',
    cure: 'End that program, or take another port: `--port 8600`, or `server.port` in the configuration.',
    sign: 'the start says that a port is in use, or the browser shows something else',
  },
  already_running: {
    what: 'Another instance of the platform runs on the data folder',
    where: '`up`, `upgrade`',
    cure: 'Open its address, stop it with `smarthouse down` (or `./stop`), or choose another folder with `--data DIR`.',
    sign: '`up` says that the platform is already running',
  },
  disk_full: {
    what: 'The disk of the data folder is full, or nearly',
    where: 'the stream and the lake; devices get no acknowledgement and keep their readings',
    cure: 'Free space on it (at least 500 MB), or move the data folder to another disk; nothing acknowledged is lost.',
    sign: 'readings stop; the log says that nothing can be written',
  },
  data_folder_unwritable: {
    what: 'The data folder cannot be written',
    where: 'every command that opens it',
    cure: 'Make it writable for the user who runs the platform (owner, mount), or choose another with `--data DIR`.',
    sign: 'every command says that it cannot use the data folder; a disk that is read-only',
  },
  data_folder_newer: {
    what: 'The data folder was written by a newer version of the platform',
    where: 'every command that opens it',
    cure: 'Update the platform to that version or a newer one, or choose another folder with `--data DIR`.',
    sign: 'the program refuses the data folder after a downgrade, or a copy from another computer',
  },
  clock_wrong: {
    what: "The computer's clock is wrong",
    where: 'everything: event time, days and alerts depend on it',
    cure: 'Set the clock (on Linux: `timedatectl set-ntp true`), then start the platform again.',
    sign: 'readings are rejected as ahead of time, days are wrong, nothing is live',
  },
  stream_unreachable: {
    what: 'No Kafka broker can be reached',
    where: 'everything that reads or writes the stream, where it is Kafka',
    cure: 'Start the broker, or correct `stream.brokers`; until then devices get no acknowledgement and keep their readings.',
    sign: 'nothing arrives; `status` shows a problem of the stream',
    status: 503,
    retryable: true,
  },
  mqtt_unreachable: {
    what: 'An MQTT broker cannot be reached, or refuses the platform',
    where: '`listen`; `doctor`',
    cure: 'Start that broker, or correct its `url`, `username` and `password` under `sources.brokers`.',
    sign: 'the devices of an MQTT broker stay away; the log says “not connected; trying again”',
  },
  dashboard_not_built: {
    what: 'The dashboard is not built, or not from these sources',
    where: '`up`, `serve`',
    cure: 'Run `smarthouse build`; where it fails, `npm ci` first (an installed package: install it again).',
    sign: 'the browser shows “The dashboard is not built”',
  },
  no_data: {
    what: 'Readings do not come through: they stop at one of source, stream, Bronze, Silver and Gold',
    where: '`doctor`, which names the stage',
    cure: 'Follow what `smarthouse doctor` says of that stage; `smarthouse logs PART` shows what the part says.',
    sign: 'the dashboard stays empty, or its figures do not move',
  },
  part_failing: {
    what: 'A part of the platform ends again and again, or reports a problem',
    where: '`status`, `doctor`',
    cure: 'See what it says with `smarthouse logs PART`; it is started again by itself once the cause is gone.',
    sign: 'the log says “ended; starting it again” over and over',
  },
  usage: {
    what: 'The words on the command line are not those that the command takes',
    where: 'every command',
    cure: 'See `smarthouse COMMAND --help`.',
    exit: 2,
    status: 400,
  },
  config_invalid: {
    what: 'The configuration has an unknown key, or a value that is none',
    where: 'every command; the message names file, line and key',
    cure: 'Correct that line; docs/configuration.md lists every key.',
    exit: 2,
  },
  config_unreadable: {
    what: 'A file that the configuration names cannot be read',
    where: 'every command',
    cure: 'Check the path, and that the user who runs the platform may read it.',
    exit: 2,
  },
  data_folder_foreign: {
    what: 'The folder is no data folder of the platform',
    where: 'every command that opens it',
    cure: 'Choose an absent or empty folder, or the data folder of an earlier run, with `--data DIR`.',
  },
  data_folder_older: {
    what: 'The data folder has an older format, and could not be brought to the newest one now',
    where: 'every command that opens it; `upgrade`',
    cure: 'Stop what runs on it (`smarthouse down`) and run `smarthouse upgrade`.',
  },
  not_running: {
    what: 'The platform does not stop, or does not run where it should',
    where: '`down`',
    cure: 'End the process that the message names; no acknowledged reading is lost by it.',
  },
  file_missing: {
    what: 'A file that was named is not there',
    where: '`import` and whoever takes a file',
    cure: 'Check the path.',
    exit: 2,
  },
  file_not_telemetry: {
    what: 'A file holds no readings that can be understood',
    where: '`import`',
    cure: 'Say what its columns mean; `smarthouse import --help` shows how.',
  },
  file_truncated: {
    what: 'A compressed file ends too early',
    where: '`import`',
    cure: 'Get the file again.',
  },
  stream_behind_lake: {
    what: 'The stream ends before what Bronze has landed: it is not the one that belongs to this lake',
    where: '`bronze`',
    cure: 'Put the stream back that belongs to the lake, or name the data folder that belongs to the stream.',
  },
  stream_gap: {
    what: 'The stream no longer has messages that Bronze has not landed yet',
    where: '`bronze`',
    cure: 'Bring them back, or accept the gap as the message says; it is recorded either way.',
  },
  stream_corrupt: {
    what: 'The file of the embedded stream is damaged',
    where: 'everything that reads the stream',
    cure: 'Put it back from a copy; what has landed in Bronze is safe.',
  },
  stream_unwritable: {
    what: 'The stream could not write: readings were not acknowledged',
    where: 'every source',
    cure: 'Run `smarthouse doctor`: the disk may be full or read-only. Senders try again.',
    status: 503,
    retryable: true,
  },
  stream_refused: {
    what: 'The Kafka cluster refuses the platform',
    where: 'everything that reads or writes the stream, where it is Kafka',
    cure: "Check user, password, certificates and the user's rights (docs/kafka.md).",
    status: 503,
  },
  stream_clock_off: {
    what: "The clock of a Kafka broker differs from the platform's by more than a minute",
    where: 'everything that writes to the stream, where it is Kafka',
    cure: 'Set both clocks, best by NTP; what was taken meanwhile keeps the times that it was given.',
    status: 503,
  },
  stream_topic_missing: {
    what: 'A topic of the platform is not there',
    where: 'everything that reads or writes the stream, where it is Kafka',
    cure: 'Create it, or set `stream.create_topics: true`.',
    status: 503,
  },
  stream_topic_unfit: {
    what: 'A topic has fewer partitions or replicas, or a shorter retention, than the configuration asks for',
    where: 'the start, where the stream is Kafka',
    cure: 'Alter the topic, or lower what the configuration asks for.',
    status: 503,
  },
  stream_message_too_large: {
    what: 'A message is larger than the stream takes',
    where: 'every source',
    cure: 'Send smaller messages.',
    status: 413,
  },
  kafka_not_installed: {
    what: 'A Kafka broker cannot be run here',
    where: '`kafka up`',
    cure: 'Install Java 17 and Maven, or unpack Apache Kafka and set KAFKA_HOME.',
  },
  lake_unsupported: {
    what: 'A table uses a part of Delta Lake that the platform does not do',
    where: 'the lake',
    cure: 'Undo that change to the table, or restore an older version of it.',
  },
  lake_corrupt: {
    what: 'What lies on the disk is not what the log of a table says',
    where: 'the lake; the message names table, version and file',
    cure: '`smarthouse lake check` shows what is damaged; Silver and Gold can be rebuilt, Bronze comes from a copy.',
  },
  lake_conflict: {
    what: 'Somebody else changed the same part of a table first',
    where: 'the lake',
    cure: 'Try again.',
    status: 503,
    retryable: true,
  },
  lake_expired: {
    what: 'That version of a table was cleaned up since',
    where: 'the lake',
    cure: 'Ask for a newer version.',
  },
  model_check_failed: {
    what: 'Rows break a rule that a model has about itself; nothing was published',
    where: '`silver`, `gold`, `rebuild`',
    cure: 'This is a fault of the program: report it with the message.',
  },
  sql_refused: {
    what: 'The query would do more than read',
    where: '`sql`',
    cure: 'Write a SELECT.',
    exit: 2,
  },
  sql_failed: {
    what: 'The query failed',
    where: '`sql`',
    cure: 'Correct what the message names.',
  },
  verify_differs: {
    what: 'A rebuild from Bronze gives other rows than the tables hold',
    where: '`verify`',
    cure: 'Rebuild the layer with `smarthouse rebuild`, and report it: this must not happen.',
  },
  verify_behind: {
    what: 'Something is not worked off yet, so there is nothing to compare',
    where: '`verify`',
    cure: 'Run the stages with `--once`, then verify again.',
  },
} as const satisfies Record<LakeErrorCode, ErrorEntry> & Record<string, ErrorEntry>

export const ERRORS = { ...PROGRAM_ERRORS, ...HTTP_ERRORS } as const

export type ErrorCode = keyof typeof ERRORS
export type HttpErrorCode = keyof typeof HTTP_ERRORS

/** The codes that a person meets as a trouble; `doctor` looks for every one of them. */
export type TroubleCode = {
  [Code in keyof typeof PROGRAM_ERRORS]: (typeof PROGRAM_ERRORS)[Code] extends { sign: string } ? Code : never
}[keyof typeof PROGRAM_ERRORS]

export const entryOf = (code: ErrorCode): ErrorEntry => ERRORS[code]

export const TROUBLES = (Object.keys(PROGRAM_ERRORS) as ErrorCode[]).filter(
  (code) => entryOf(code).sign !== undefined,
) as TroubleCode[]

/** Exit status of a command that ends by the error: 2 wrong use, 1 failure. */
export const exitOf = (code: ErrorCode): 1 | 2 => entryOf(code).exit ?? 1

/** HTTP status of an answer that tells it. */
export const statusOf = (code: ErrorCode): number => entryOf(code).status ?? 500
