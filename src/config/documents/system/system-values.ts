// What the entries of the system database come to. An entry that is not there leaves its part out, and its reader knows
// the default.
import type { TrustedSource } from '../trusted-nets.ts'

/** Toggles that guard what an administrator may set up (spec control-plane 1.8); undefined: not spoken of. */
export type FeatureToggles = {
  readonly 'ssl-client-to-v5-client-ca-certificate'?: boolean
  readonly 'ssl-server-to-backend-mtls-certificate'?: boolean
  readonly 'ssl-server-to-backend-ca-certificate'?: boolean
  readonly 'certificate-letsencrypt'?: boolean
  readonly 'certificate-download'?: boolean
}

/** Where a configuration is published to when nobody says it. */
export type PublishTargets = {
  readonly buckets: readonly { readonly name: string; readonly url: string }[]
  /** Configuration → names of buckets. */
  readonly branches: ReadonlyMap<string, readonly string[]>
}

export type SystemValues = {
  readonly toggles?: FeatureToggles
  /** Who may state a client address at sites whose template does not say. */
  readonly planetTrusts?: readonly TrustedSource[]
  /** Field → characters, with `default`; and the number of parameters. */
  readonly exportLimits?: {
    readonly maxCharacters: Readonly<Record<string, number>>
    readonly maxParameters: number
  }
  readonly deferArguments?: boolean
  readonly publishTargets?: PublishTargets
  /** Short code of a location or datacenter → city. */
  readonly cities?: ReadonlyMap<string, string>
}
