/** A door: where something of others comes in. */
import { isPlatformError } from '../../src/errors.ts'
import type { Random } from '../chaos/random.ts'

/** What became of an input: `taken`, or `refused: CODE`. */
export type Verdict = string

export interface Door {
  name: string
  /** How many inputs it is given for each that the others get; default 1. */
  share?: number
  /** Good inputs, to be spoiled. */
  seeds: readonly Buffer[]
  /** What else is tried than what {@link mutated} makes of the seeds. */
  spoil?(seeds: readonly Buffer[], random: Random): Buffer
  /**
   * Takes one input; what else it decides, it decides by `random`, so that the same seed does the same again. Throws where the input was
   * neither taken nor refused with a reason.
   */
  take(input: Buffer, random: Random): Promise<Verdict>
  /** After all inputs: what was taken is there. */
  check?(): Promise<void>
  close(): Promise<void>
}

export const TAKEN = 'taken'
export const texts = (...seeds: string[]): Buffer[] => seeds.map((text) => Buffer.from(text))

/** A refusal with a reason is an answer; any other error is a fault of the program. */
export async function orRefused(work: () => unknown): Promise<Verdict> {
  try {
    await work()
    return TAKEN
  } catch (error) {
    if (!isPlatformError(error)) throw error
    if (error.message.trim() === '' || error.cure.trim() === '')
      throw new Error('refused without a reason or a cure', { cause: error })
    return `refused: ${error.code}`
  }
}
