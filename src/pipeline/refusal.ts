// What ends a request before the first stage: it is malformed, its host has no site here, its client showed no certificate.

/** Why a request ends before the first stage. */
export type Refusal = {
  readonly stage: 0 | 1
  readonly status: number
  readonly tag: string
  readonly reason: string
}
