/** A case of the property test: a house, what its devices send, and how the stages get to work it off. Plain JSON. */
import type { CatalogueEntry, CataloguePeriod, Correction, RuleChange, Tariff } from '../oracle/types.ts'

export interface Message {
  /** When the stream accepts it, ms since 1970; does not decrease from one message to the next. */
  acceptedAtMs: number
  /** The text as sent. */
  value: string
}

/** One thing that happens on the way; whatever a schedule leaves undone is done at its end. */
export type Happening =
  | { do: 'append'; messages: number }
  | {
      do: 'bronze' | 'silver' | 'gold'
      final: boolean
      /** The commit with this number (from 0) within the step fails: before it is done, or after. */
      fail?: { commit: number; when: 'before' | 'after' }
    }
  /** The process of a stage ends; the next step begins with a new one. */
  | { do: 'restart'; stage: 'bronze' | 'silver' | 'gold' }
  /** What figures depend on besides readings becomes `later`; at the end of the schedule at the latest. */
  | { do: 'change' }

/** What figures depend on besides readings. */
export interface Given {
  lateWatermarkHours: number
  catalogue: CatalogueEntry[]
  periods?: CataloguePeriod[]
  tariffs: Omit<Tariff, 'tariff_version'>[]
  rules?: RuleChange[]
  /** Those of `later` come after those before, which stay. */
  corrections?: Omit<Correction, 'correction_id'>[]
}

export interface Case extends Given {
  timeZone: string
  later?: Given
  messages: Message[]
  schedule: Happening[]
}
