/** Who listens on a port of this machine, as far as this user may see it. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface PortOwner {
  pid: number
  name: string
}

/** null: nobody, or a process that this user may not see. */
export function portOwner(port: number): PortOwner | null {
  try {
    if (process.platform === 'linux') return onLinux(port)
    return process.platform === 'win32' ? onWindows(port) : byLsof(port)
  } catch {
    return null
  }
}

const LISTENING = '0A'

/** The kernel's table of sockets names an inode; the process that has it open is the owner. */
function onLinux(port: number): PortOwner | null {
  const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => listeners(file, port)))
  for (const entry of readdirSync('/proc')) {
    if (/^\d+$/.test(entry) && holdsOne(entry, inodes))
      return { pid: Number(entry), name: readFileSync(`/proc/${entry}/comm`, 'utf8').trim() }
  }
  return null
}

function listeners(file: string, port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(wanted) && fields[3] === LISTENING)
    .map((fields) => `socket:[${fields[9]}]`)
}

function holdsOne(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return inodes.has(readlinkSync(`/proc/${pid}/fd/${fd}`))
      } catch {
        return false
      }
    })
  } catch {
    // Another user's, or gone by now.
    return false
  }
}

function byLsof(port: number): PortOwner | null {
  const { stdout } = spawnSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], { encoding: 'utf8' })
  const pid = /^p(\d+)/m.exec(stdout)?.[1]
  return pid === undefined ? null : { pid: Number(pid), name: /^c(.+)/m.exec(stdout)?.[1] ?? 'a program' }
}

function onWindows(port: number): PortOwner | null {
  const { stdout } = spawnSync('netstat', ['-ano', '-p', 'TCP'], { encoding: 'utf8', windowsHide: true })
  const pid = new RegExp(`:${port}\\s+\\S+\\s+LISTENING\\s+(\\d+)`).exec(stdout)?.[1]
  if (pid === undefined) return null
  const list = spawnSync('tasklist', ['/fi', `PID eq ${pid}`, '/fo', 'csv', '/nh'], {
    encoding: 'utf8',
    windowsHide: true,
  })
  return { pid: Number(pid), name: /^"([^"]+)"/.exec(list.stdout.trim())?.[1] ?? 'a program' }
}
