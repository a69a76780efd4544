// What was fetched becomes lists in force, or a reason why not (spec control-plane 1.1). A list must be signed by a CA of the
// bundle and must not be older than the one it replaces: whoever stands between could otherwise play back the list from
// before a certificate was revoked. One past its nextUpdate is taken: what was revoked stays revoked.
import type { BundledCa, ListedSerials } from '#config'
import { DerError } from '#platform'
import { ListError, type RevocationList, readLists } from './read-list.ts'
import { signerOf } from './verify-list.ts'

/** A list in force. Times are milliseconds since 1970. */
export type KeptList = ListedSerials & {
  readonly url: string
  readonly thisUpdate: number
  /** Null: the list does not say. */
  readonly nextUpdate: number | null
  readonly fetched: number
}

/** Clocks differ. */
const futureMs = 3_600_000

export type Offer = {
  readonly url: string
  readonly bytes: Buffer
  /** The CAs that clients are checked against where this URL is named. */
  readonly cas: readonly BundledCa[]
  /** Lists of this URL that are in force. */
  readonly kept: readonly KeptList[]
  readonly now: number
}

export type Accepted =
  { readonly ok: true; readonly lists: readonly KeptList[] } | { readonly ok: false; readonly reason: string }

const day = (time: number): string => new Date(time).toISOString()

function acceptOne(list: RevocationList, { url, cas, kept, now }: Offer): KeptList | undefined {
  const ca = signerOf(list, cas)
  if (ca === undefined) return undefined
  if (list.thisUpdate > now + futureMs) throw new ListError(`it is of the future (${day(list.thisUpdate)})`)
  const before = kept.find((one) => one.ca === ca)
  if (before !== undefined && list.thisUpdate < before.thisUpdate)
    throw new ListError(
      `it is of ${day(list.thisUpdate)} and so older than the one in force (${day(before.thisUpdate)})`,
    )
  const { complete, serials, thisUpdate, nextUpdate = null } = list
  return { url, ca, complete, serials, thisUpdate, nextUpdate, fetched: now }
}

/** Lists of other CAs in the same file are passed over. */
export function acceptLists(offer: Offer): Accepted {
  try {
    const lists = readLists(offer.bytes).flatMap((list) => acceptOne(list, offer) ?? [])
    if (lists.length > 0) return { ok: true, lists }
    return { ok: false, reason: 'it is signed by none of the CAs that clients are checked against' }
  } catch (error) {
    if (error instanceof ListError) return { ok: false, reason: error.message }
    if (error instanceof DerError) return { ok: false, reason: `its encoding ${error.message}` }
    throw error
  }
}
