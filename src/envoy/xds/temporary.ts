// What Envoys are told beside the documents, for a while: who is quarantined, and which certificate orders wait for a proof.
// It comes and goes without a publish of anybody's, and a change of it reaches no listener.

export type AcmeToken = {
  /** Last segment of the path under which a certificate authority looks: letters, digits, `_` and `-`. */
  readonly token: string
  /** The body that it expects there. */
  readonly authorization: string
}

export type Temporary = {
  /** Addresses whose connections Envoy denies by itself, newest first (spec control-plane 2.8). */
  readonly offload: readonly string[]
  /** Tokens that Weir waits for (spec control-plane 2.10). */
  readonly acme: readonly AcmeToken[]
}

export const nothingTemporary: Temporary = { offload: [], acme: [] }
