/** Mosquitto, where it is installed (the Debian package of that name), on a free port of this machine. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'

const PROGRAM = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'].find(
  (path) => existsSync(path),
)

/** Why there is none; null where there is. */
export const mosquittoObstacle = (): string | null =>
  PROGRAM === undefined ? 'mosquitto is not installed (apt-get install mosquitto)' : null

/** Starts it in a folder; with the same folder and port it goes on with the sessions that it kept. */
export async function startMosquitto(
  dir: string,
  port: number,
  more: readonly string[] = [],
): Promise<{ kill: () => Promise<void>; stop: () => Promise<void> }> {
  const file = join(dir, 'mosquitto.conf')
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    // Started by root it would take another user, who may not write here.
    'user root',
    'persistence true',
    `persistence_location ${dir}/`,
    'autosave_on_changes true',
    'autosave_interval 1',
    'max_queued_messages 0',
    'max_inflight_messages 100',
    ...more,
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  const child = spawn(PROGRAM!, ['-c', file], { stdio: 'ignore' })
  for (let tries = 0; tries < 200; tries++) {
    if (await isListening(port)) break
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  return {
    kill: () => end(child, 'SIGKILL'),
    stop: () => end(child, 'SIGTERM'),
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
