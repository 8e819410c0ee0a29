import type { Lesson, Lessons } from './decoder.ts'

/** Keeps the newest lessons, so many at most: the one that was learned longest ago is forgotten first. */
export class LessonBook implements Lessons {
  readonly #known = new Map<string, unknown>()
  readonly #limit: number

  constructor(limit = 100_000) {
    this.#limit = limit
  }

  get size(): number {
    return this.#known.size
  }

  get(key: string): unknown {
    return this.#known.get(key)
  }

  learn(lessons: readonly Lesson[]): void {
    for (const { key, value } of lessons) {
      this.#known.delete(key)
      this.#known.set(key, value)
      if (this.#known.size > this.#limit) this.#known.delete(this.#known.keys().next().value!)
    }
  }

  clear(): void {
    this.#known.clear()
  }
}
