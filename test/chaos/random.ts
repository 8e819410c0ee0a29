/** Random numbers of a fixed seed (mulberry32), so that a run can be asked for again. */
export interface Random {
  /** 0 to 1. */
  (): number
  between(from: number, to: number): number
  pick<T>(items: readonly T[]): T
}

export function randomOf(seed: number): Random {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  return Object.assign(next, {
    between: (from: number, to: number) => from + next() * (to - from),
    pick: <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)]!,
  })
}
