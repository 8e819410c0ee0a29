import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isMap, LineCounter, parseDocument, parse as parseYaml, type Document } from 'yaml'
import type { z } from 'zod'
import { CONFIG_SCHEMA, configKeys, knownNames, type Config } from './config.ts'
import { PlatformError } from './errors.ts'
import { nearest } from './units.ts'

/** Names, in the environment of a part, the file with the configuration that `up` has taken over; see `acceptedFile`. */
export const ACCEPTED_CONFIG = 'ACCEPTED_SMARTHOUSE_CONFIG'

export interface LoadedConfig {
  config: Config
  /** Absolute path of the file that was read; null where there was none. */
  file: string | null
  /** Folder that relative paths of the configuration start from. */
  baseDir: string
  /** What stands in the file; empty where there is none. */
  text: string
}

/**
 * Reads the configuration: the file, then the environment (`SMARTHOUSE_SERVER_PORT=8600`), then the defaults.
 * Every fault is said with its key, line and cure; unknown keys are refused with the nearest known one.
 */
export function loadConfig(options: {
  file: string
  /** Whether it was named by the person (then it must exist). */
  named: boolean
  env: NodeJS.ProcessEnv
  /** What is read in place of it: the text that a platform which runs has taken over; paths still start from the file's folder. */
  acceptedFile?: string | undefined
}): LoadedConfig {
  const file = resolve(options.file)
  if (options.acceptedFile === undefined && !existsSync(file)) {
    if (options.named)
      throw new PlatformError(
        'config_unreadable',
        `There is no configuration file ${file}`,
        'Check the path given to --config.',
      )
    return { config: check({}, null, null, options.env), file: null, baseDir: dirname(file), text: '' }
  }
  let text: string
  try {
    text = readFileSync(options.acceptedFile ?? file, 'utf8')
  } catch (cause) {
    throw new PlatformError(
      'config_unreadable',
      `Cannot read ${file}: ${(cause as Error).message}`,
      'Check that it is a file you may read.',
      { cause },
    )
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const fault = document.errors[0]
  if (fault) {
    const line = lines.linePos(fault.pos[0]).line
    throw new PlatformError(
      'config_invalid',
      `${file}, line ${line}: ${fault.message}`,
      'Correct the YAML of that line.',
    )
  }
  const value: unknown = valueOf(document, file) ?? {}
  const config = check(value, { document, lines, file }, file, options.env)
  return { config, file, baseDir: dirname(file), text }
}

/** An alias (`*name`) without its anchor, or so many that they would fill the memory, come to light only here. */
function valueOf(document: Document, file: string): unknown {
  try {
    return document.toJS()
  } catch (cause) {
    throw new PlatformError(
      'config_invalid',
      `${file}: ${(cause as Error).message.split('\n')[0]}`,
      'Put text that begins with * or & in quotes, or define the anchor that it names.',
      { cause },
    )
  }
}

/** Throws `config_unreadable` where a certificate, a key or a password file that the configuration names cannot be read. */
export function requireNamedFiles(section: unknown, baseDir: string): void {
  if (typeof section !== 'object' || section === null) return
  for (const [key, value] of Object.entries(section)) {
    if (typeof value !== 'string') requireNamedFiles(value, baseDir)
    else if (key.endsWith('_file')) requireReadable(key, resolve(baseDir, value))
  }
}

function requireReadable(key: string, file: string): void {
  try {
    accessSync(file, constants.R_OK)
  } catch (cause) {
    throw new PlatformError(
      'config_unreadable',
      `Cannot read ${file}, which the configuration names as ${key}: ${(cause as NodeJS.ErrnoException).code}`,
      'Check the path and that you may read it; relative paths start at the configuration file.',
      { cause },
    )
  }
}

interface Source {
  document: Document
  lines: LineCounter
  file: string
}

function check(value: unknown, source: Source | null, file: string | null, env: NodeJS.ProcessEnv): Config {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new PlatformError(
      'config_invalid',
      `${file} holds no keys`,
      'Write it as "key: value" lines; see config/smarthouse.yaml.',
    )
  const fromEnv = applyEnvironment(value as Record<string, unknown>, env)
  const result = CONFIG_SCHEMA.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  throw new PlatformError('config_invalid', describe(issue, source, fromEnv), cureOf(issue))
}

const envNameOf = (path: readonly PropertyKey[]): string => `SMARTHOUSE_${path.join('_').toUpperCase()}`

function describe(issue: z.core.$ZodIssue, source: Source | null, fromEnv: ReadonlySet<string>): string {
  if (issue.code === 'unrecognized_keys') {
    const path = [...issue.path, issue.keys[0]!]
    return `${place(path, source, fromEnv)}unknown key "${path.join('.')}"`
  }
  return `${place(issue.path, source, fromEnv)}"${issue.path.join('.')}" ${issue.message.replace(/^Invalid input: /, 'is not valid: ')}`
}

function place(path: readonly PropertyKey[], source: Source | null, fromEnv: ReadonlySet<string>): string {
  if (fromEnv.has(path.join('.'))) return `Environment variable ${envNameOf(path)}: `
  if (!source) return ''
  return `${source.file}, line ${lineOf(path, source)}: `
}

function lineOf(path: readonly PropertyKey[], { document, lines }: Source): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const parent = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true)
    if (isMap(parent)) {
      const pair = parent.items.find((item) => String(item.key) === String(path[depth - 1]))
      const range = (pair?.key as { range?: [number, number, number] } | undefined)?.range
      if (range) return lines.linePos(range[0]).line
    }
  }
  return 1
}

function cureOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'unrecognized_keys')
    return 'Correct the value; config/smarthouse.yaml shows every key with its unit.'
  const guess = nearest(issue.keys[0]!, knownNames(issue.path))
  return guess
    ? `Did you mean "${[...issue.path, guess].join('.')}"?`
    : `Known here: ${knownNames(issue.path).join(', ')}.`
}

/** Writes the values of `SMARTHOUSE_*` into the tree; returns the keys that came from there. */
function applyEnvironment(tree: Record<string, unknown>, env: NodeJS.ProcessEnv): ReadonlySet<string> {
  const keys = configKeys()
  const applied = new Set<string>()
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('SMARTHOUSE_') || text === undefined) continue
    const key = keys.find((candidate) => candidate.env === name)
    if (!key) {
      const guess = nearest(
        name,
        keys.map((candidate) => candidate.env),
      )
      throw new PlatformError(
        'config_invalid',
        `Unknown environment variable ${name}`,
        guess
          ? `Did you mean ${guess}?`
          : 'Unset it: names that begin with SMARTHOUSE_ are settings of this program.',
      )
    }
    setIn(tree, key.path, parseYaml(text))
    applied.add(key.path.join('.'))
  }
  return applied
}

function setIn(tree: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let node = tree
  for (const step of path.slice(0, -1)) {
    if (typeof node[step] !== 'object' || node[step] === null) node[step] = {}
    node = node[step] as Record<string, unknown>
  }
  node[path.at(-1)!] = value
}
