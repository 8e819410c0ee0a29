/** What every stage of the pipeline is: something that works off what is there now, again and again. */
export interface Stage {
  readonly name: 'bronze' | 'silver' | 'gold'
  /**
   * Works off what is there now, in bounded batches; commits nothing when nothing is new.
   * With `final` nothing is left for later: pending arrivals are worked off at once.
   */
  step(options: { final: boolean }): Promise<StepReport>
  close(): Promise<void>
}

export interface StepReport {
  /** Rows taken in by this step (0: nothing was new). */
  rows: number
  /** Whether more input is known to be there already, so that the next step should follow at once. */
  more: boolean
  /** Arrivals taken note of but not yet in a table of this stage. */
  pending: number
  /** Named counts for the status display, for example `rejects`, `files`. */
  detail: Record<string, number>
  /** Sentences for a person: what is done again, and why. */
  notices?: readonly string[]
}
