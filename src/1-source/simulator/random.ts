/**
 * Numbers that look random and are the same for the same seed, on every machine: 32-bit integer arithmetic only.
 * Each stream is named by its seed, so one more device never changes what another one draws.
 */

/** Finaliser of MurmurHash3: every bit of the input moves every bit of the output. */
function mix(word: number): number {
  let h = word
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  h ^= h >>> 16
  return h >>> 0
}

/** The seed of a stream from the words that name it (FNV-1a over the text, then mixed), 0…2³²−1. */
export function seedOf(...names: readonly (string | number)[]): number {
  const text = names.join('\u0000')
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return mix(h)
}

/** The n-th number of a stream, in [0, 1), without drawing those before it. */
export function noise(seed: number, n: number): number {
  return mix(seed ^ Math.imul(n, 0x9e3779b1)) / 0x1_0000_0000
}

export interface Random {
  /** In [from, to). */
  between(from: number, to: number): number
  /** A whole number in [from, to]. */
  integer(from: number, to: number): number
  chance(probability: number): boolean
}

/** The numbers of a stream one after the other. */
export function createRandom(seed: number): Random {
  let drawn = 0
  const next = (): number => noise(seed, (drawn += 1))
  return {
    between: (from, to) => from + next() * (to - from),
    integer: (from, to) => from + Math.floor(next() * (to - from + 1)),
    chance: (probability) => next() < probability,
  }
}
