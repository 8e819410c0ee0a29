/** One error of the catalogue. The sentences are for people: no code, no name of ours that they cannot use. */
export interface ErrorEntry {
  /** What is wrong: one sentence, without the point. */
  what: string
  /** Who says so, or what it affects. */
  where: string
  /** What to do about it, in general; whoever throws it says it exactly. */
  cure: string
  /** What a person sees: then it stands in the troubleshooting list, and `doctor` looks for it. */
  sign?: string
  /** Exit status of a command: 1 failure (default), 2 wrong use. */
  exit?: 1 | 2
  /** HTTP status; default 500. */
  status?: number
  /** Whether the same request may succeed later without any change; default no. */
  retryable?: boolean
}
