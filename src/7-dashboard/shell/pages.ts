/** The pages that there are, in the order of the sidebar. Another page is one more line here, and a route in `main.tsx`. */
import { texts } from '../texts.ts'

export const PAGES = [
  { to: '/', label: texts.nav.overview, icon: 'overview', keys: 'g o', ranged: true, inBar: true },
  { to: '/devices', label: texts.nav.devices, icon: 'devices', keys: 'g d', ranged: false, inBar: true },
  { to: '/streams', label: texts.nav.streams, icon: 'streams', keys: 'g s', ranged: false, inBar: false },
] as const
// `ranged`: its figures are those of the range in the header. `inBar`: on a phone it has a place in the bar below; else it is under More.

/** The page that an address belongs to: its own, or the one above it. */
export function pageAt(pathname: string): (typeof PAGES)[number] | undefined {
  return PAGES.find(({ to }) => pathname === to || (to !== '/' && pathname.startsWith(`${to}/`)))
}
