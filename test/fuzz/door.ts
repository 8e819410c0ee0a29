/** A door: where something of others comes in. */
import { isPlatformError } from '../../src/errors.ts'
import type { Random } from '../chaos/random.ts'

export interface Door {
  name: string
  /** Good inputs, to be spoiled. */
  seeds: readonly Buffer[]
  /** Takes one input. Throws where it was neither taken nor refused with a reason. */
  take(input: Buffer, random: Random): Promise<void>
  /** After all inputs: what was taken is there. */
  check?(): Promise<void>
  close(): Promise<void>
}

export const texts = (...seeds: string[]): Buffer[] => seeds.map((text) => Buffer.from(text))

/** A refusal with a reason is an answer; any other error is a fault of the program. */
export async function orRefused(work: () => unknown): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!isPlatformError(error)) throw error
    if (error.message.trim() === '' || error.cure.trim() === '')
      throw new Error('refused without a reason or a cure', { cause: error })
  }
}
