/** What a person chose on this machine: kept in local storage, shared between the parts of the page. */
import { useSyncExternalStore } from 'react'

export type ThemeChoice = 'light' | 'dark' | 'system'

const listeners = new Set<() => void>()
// Storage can be forbidden; what was chosen then lasts as long as the page.
const unstored = new Map<string, string>()

function read(name: string): string | null {
  try {
    return localStorage.getItem(`smarthouse.${name}`)
  } catch {
    return unstored.get(name) ?? null
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(`smarthouse.${name}`, value)
  } catch {
    unstored.set(name, value)
  }
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  addEventListener('storage', listener)
  return () => {
    listeners.delete(listener)
    removeEventListener('storage', listener)
  }
}

/** A yes or no that stays: `[value, set]`. */
export function useFlag(name: string, unset: boolean): [boolean, (value: boolean) => void] {
  const value = useSyncExternalStore(subscribe, () => read(name))
  return [value === null ? unset : value === 'yes', (next) => write(name, next ? 'yes' : 'no')]
}

export function useThemeChoice(): ThemeChoice {
  const value = useSyncExternalStore(subscribe, () => read('theme'))
  return value === 'light' || value === 'dark' ? value : 'system'
}

/**
 * Chooses and shows a theme. Called by the click's handler, never by an effect: charts read their colours while
 * they redraw, and children's effects run before their parents'.
 */
export function chooseTheme(choice: ThemeChoice): void {
  write('theme', choice)
  showTheme()
}

const machineIsDark = matchMedia('(prefers-color-scheme: dark)')
// `begin.js` has shown the first theme already.
machineIsDark.addEventListener('change', showTheme)

function showTheme(): void {
  const choice = read('theme')
  const dark = choice === 'dark' || (choice !== 'light' && machineIsDark.matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  document.querySelector('meta[name="theme-color"]')?.setAttribute('content', dark ? '#0d1117' : '#f6f7f9')
  dispatchEvent(new Event('themechange'))
}
