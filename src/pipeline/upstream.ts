// What becomes of a request's headers on its way to the origin: what Weir sets, and what it keeps back. The origin learns
// the client's address and what monitors add; it meets neither proofs of humanity nor what Envoy told the filter alone.
import { proofCookies, withoutProofs } from '#challenge'
import type { RequestView } from '#request'
import { certificateHeaders } from './client-certificate.ts'
import type { Transaction } from './transaction.ts'

export type Upstream = {
  /** They replace the client's. */
  readonly set: readonly (readonly [name: string, value: string])[]
  readonly remove: readonly string[]
}

const none: readonly string[] = []

const text = (bytes: string | Uint8Array): string =>
  typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')

/** A blank before the `=` is part of a name to Weir, and to some servers not. */
function hasProof({ cookies }: RequestView): boolean {
  for (const name of cookies.keys())
    if (name.startsWith('waap_') && proofCookies.has(name.trim())) return true
  return false
}

/** All `cookie` lines as one, without proofs. */
function cookiesKept({ input }: RequestView): string {
  return input.headers
    .flatMap(([name, value]) => (text(name).toLowerCase() === 'cookie' ? [withoutProofs(text(value))] : []))
    .filter((line) => line !== '')
    .join('; ')
}

export function towardsOrigin(t: Transaction): Upstream {
  const { request, requestHeaders, site } = t
  const set: (readonly [string, string])[] = [
    [site.group.template.realIpHeader, request.ip],
    ...certificateHeaders(request.input.connection, site.group),
    ...requestHeaders,
  ]
  const remove = request.input.connection?.taken ?? none
  // A monitor that sets cookies has replaced the client's.
  if (!hasProof(request) || requestHeaders.has('cookie')) return { set, remove }
  const kept = cookiesKept(request)
  if (kept === '') return { set, remove: [...remove, 'cookie'] }
  return { set: [...set, ['cookie', kept]], remove }
}
