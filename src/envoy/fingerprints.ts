// How the client's TLS library introduced itself, as Envoy's TLS inspector hashed it: JA3 and JA4. Envoy puts them into
// headers for the filter alone (spec control-plane 2.2) after it removed what a client wrote under these names.
import type { HeaderLine } from '#request'

const headers = { ja3: 'x-weir-ja3', ja4: 'x-weir-ja4' } as const

export const isFingerprintHeader = (name: string): boolean =>
  name.length === 10 && (name === headers.ja3 || name === headers.ja4)

export type Fingerprints = {
  readonly ja3: string | undefined
  readonly ja4: string | undefined
  /** Names of the headers that were read; they must not reach the origin. */
  readonly taken: readonly string[]
}

export const noFingerprints: Fingerprints = { ja3: undefined, ja4: undefined, taken: [] }

const ja3Form = /^[\da-f]{32}$/
const ja4Form = /^[\da-z]{10}_[\da-f]{12}_[\da-f]{12}$/

/** Envoy writes `-` where the connection has none. */
const inForm = (value: string | Uint8Array, form: RegExp): string | undefined =>
  typeof value === 'string' && form.test(value) ? value : undefined

/** From the lines for which `isFingerprintHeader` holds. */
export function readFingerprints(lines: readonly HeaderLine[]): Fingerprints {
  const valueOf = (header: string): string | Uint8Array =>
    lines.findLast(([name]) => name === header)?.[1] ?? ''
  return {
    ja3: inForm(valueOf(headers.ja3), ja3Form),
    ja4: inForm(valueOf(headers.ja4), ja4Form),
    taken: [headers.ja3, headers.ja4],
  }
}
