/**
 * Where the system names no language, browsers answer `en-US@posix`, which Intl refuses. uPlot asks Intl for it as it
 * is loaded, and without this no chart would be drawn.
 */
export function mendLanguage(): void {
  if (isLanguage(navigator.language)) return
  const base = navigator.language.split('@')[0]!
  Object.defineProperty(navigator, 'language', { value: isLanguage(base) ? base : 'en', configurable: true })
}

function isLanguage(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length > 0
  } catch {
    return false
  }
}
