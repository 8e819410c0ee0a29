import { statSync } from 'node:fs'
import { changeOf, type PartName } from '../config-reload.ts'
import type { Config } from '../config.ts'
import type { LoadedConfig } from '../config-file.ts'
import { isPlatformError } from '../errors.ts'
import type { Say } from '../log.ts'

export interface TakenChange {
  config: Config
  /** What stands in the file. */
  text: string
  /** The parts that read what is new. */
  parts: ReadonlySet<PartName>
}

/**
 * Looks whether the configuration file has changed; answers the new configuration and the parts that read what is new in it. A file
 * that is wrong, or that changes what counts from the next start on only, is said and not taken.
 */
export function watchConfig(options: {
  file: string
  config: Config
  read: () => LoadedConfig
  say: Say
}): () => TakenChange | null {
  const { file, read, say } = options
  let { config } = options
  let seen = stampOf(file)
  return () => {
    const now = stampOf(file)
    if (now === seen) return null
    seen = now
    const next = readable(read, say)
    if (!next) return null
    const { keys, later, parts } = changeOf(config, next.config)
    if (keys.length === 0) return null
    if (later.length > 0) {
      const verb = later.length === 1 ? 'counts' : 'count'
      say(
        `The changed configuration is not taken yet: ${later.join(', ')} ${verb} from the next start on. Until then all parts go on with the one before, also one that fails and comes back.`,
        'warn',
      )
      return null
    }
    config = next.config
    say(`The configuration changed: ${keys.join(', ')}`)
    return { config, text: next.text, parts }
  }
}

function readable(read: () => LoadedConfig, say: Say): LoadedConfig | null {
  try {
    return read()
  } catch (error) {
    if (!isPlatformError(error)) throw error
    say(`The changed configuration is not taken: ${error.message}. ${error.cure}`, 'warn')
    return null
  }
}

function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat ? `${stat.mtimeMs}/${stat.size}` : 'absent'
}
