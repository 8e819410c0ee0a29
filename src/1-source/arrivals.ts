/** Times of arrival: what has no time of its own is of the microsecond in which it came. */

/** A clock that went back further than this was set; a smaller step is a tie, or its own correction. */
const CLOCK_WAS_SET_US = 1_000_000

/**
 * Times of arrival, each at least a microsecond after the one before: two messages of a device without times of their own are two
 * readings, also where they came in one millisecond, and not one that contradicts the other. A clock that is set back is followed.
 */
export function strictlyLater(clock: () => number): () => number {
  let lastUs = 0
  return () => {
    const us = Math.round(clock() * 1000)
    lastUs = us > lastUs || us < lastUs - CLOCK_WAS_SET_US ? us : lastUs + 1
    return lastUs / 1000
  }
}

/** ISO 8601 to the microsecond, which the lake keeps; the number itself where it is no time. */
export function isoOf(atMs: number): string {
  const ms = Math.floor(atMs)
  const us = Math.round((atMs - ms) * 1000)
  if (!Number.isFinite(new Date(ms).getTime())) return String(atMs)
  return new Date(ms)
    .toISOString()
    .replace('Z', us > 0 && us < 1000 ? `${String(us).padStart(3, '0')}Z` : 'Z')
}
