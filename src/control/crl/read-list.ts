// Reading a certificate revocation list (RFC 5280 section 5) from DER or PEM. Lists have hundreds of thousands of entries, so
// they are walked through and not made into objects; of each entry only the serial number matters. What this does not
// understand and the list calls critical, is refused: a list that is read wrongly would let revoked certificates in.
import {
  type Cursor,
  DerError,
  type Element,
  cursorIn,
  derTag,
  elementAt,
  elementsIn,
  hexOf,
  integerOf,
  timeOf,
} from '#platform'
import { schemeOf } from './signature.ts'

export type RevocationList = {
  /** DER of the name of whoever signed it. */
  readonly issuer: Buffer
  /** Milliseconds since 1970. */
  readonly thisUpdate: number
  readonly nextUpdate: number | undefined
  /** Whether it speaks of the certificates of clients, and of every reason. */
  readonly complete: boolean
  readonly serials: readonly string[]
  readonly signed: Buffer
  readonly signature: Buffer
  readonly scheme: NonNullable<ReturnType<typeof schemeOf>>
}

export class ListError extends Error {
  override readonly name = 'ListError'
}

/** More entries than this are not taken (spec control-plane 3.7). */
const mostEntries = 500_000

const extensionName = {
  authorityKeyIdentifier: '551d23',
  issuerAltName: '551d12',
  crlNumber: '551d14',
  deltaCrlIndicator: '551d1b',
  issuingDistributionPoint: '551d1c',
  freshestCrl: '551d2e',
  authorityInfoAccess: '2b06010505070101',
} as const
const harmless: ReadonlySet<string> = new Set(Object.values(extensionName))

/** What an IssuingDistributionPoint limits the list to; false: to a part of what a site must know. */
function isWhole(bytes: Buffer, value: Element): boolean {
  const point = elementAt(bytes, value.start, value.end)
  let whole = true
  for (const { tag, start } of elementsIn(bytes, point)) {
    const says = tag === 0x83 || bytes[start] !== 0
    if (tag === 0x84 && says)
      throw new ListError('it speaks for several CAs (indirect), which is not supported')
    if (tag === 0x85 && says) throw new ListError('it speaks of attribute certificates only')
    // onlyContainsCACerts, onlySomeReasons
    if ((tag === 0x82 || tag === 0x83) && says) whole = false
  }
  return whole
}

/** Looks at what the list says about itself; whether it is a whole one. */
function readExtensions(bytes: Buffer, wrapper: Element | undefined): boolean {
  if (wrapper === undefined) return true
  let whole = true
  for (const extension of elementsIn(bytes, cursorIn(bytes, wrapper).take(derTag.sequence))) {
    const inside = cursorIn(bytes, extension)
    const name = hexOf(bytes, inside.take(derTag.oid))
    const flag = inside.maybe(derTag.boolean)
    const critical = flag !== undefined && bytes[flag.start] !== 0
    const value = inside.take(derTag.octetString)
    if (name === extensionName.deltaCrlIndicator)
      throw new ListError('it holds changes only (delta); name the URL of the whole list')
    if (name === extensionName.issuingDistributionPoint) whole = isWhole(bytes, value)
    else if (critical && !harmless.has(name))
      throw new ListError('it has a critical extension that is unknown')
  }
  return whole
}

function readSerials(bytes: Buffer, entries: Element | undefined): readonly string[] {
  if (entries === undefined) return []
  const serials: string[] = []
  for (let at = entries.start; at < entries.end;) {
    const entry = elementAt(bytes, at, entries.end)
    if (entry.tag !== derTag.sequence) throw new DerError('has an entry that is none')
    if (serials.length === mostEntries) throw new ListError(`it has more than ${String(mostEntries)} entries`)
    serials.push(integerOf(bytes, cursorIn(bytes, entry).take(derTag.integer)))
    at = entry.end
  }
  return serials
}

function takeTime(bytes: Buffer, inside: Cursor): number | undefined {
  const time = inside.maybe(derTag.utcTime, derTag.generalizedTime)
  return time === undefined ? undefined : timeOf(bytes, time)
}

function readDer(bytes: Buffer): RevocationList {
  const whole = elementAt(bytes, 0)
  if (whole.tag !== derTag.sequence) throw new DerError('does not begin like a list')
  const parts = cursorIn(bytes, whole)
  const body = parts.take(derTag.sequence)
  const algorithm = parts.take(derTag.sequence)
  const bits = parts.take(derTag.bitString)
  if (bytes[bits.start] !== 0) throw new DerError('has a signature of half bytes')

  const inside = cursorIn(bytes, body)
  inside.maybe(derTag.integer)
  const stated = inside.take(derTag.sequence)
  const issuer = inside.take(derTag.sequence)
  const thisUpdate = takeTime(bytes, inside)
  if (thisUpdate === undefined) throw new DerError('does not say when it was made')
  const nextUpdate = takeTime(bytes, inside)
  const serials = readSerials(bytes, inside.maybe(derTag.sequence))
  const complete = readExtensions(bytes, inside.maybe(0xa0))

  // Else a weaker algorithm could be slipped in, as only the inner one is signed.
  if (!bytes.subarray(algorithm.from, algorithm.end).equals(bytes.subarray(stated.from, stated.end)))
    throw new DerError('names two algorithms')
  const scheme = schemeOf(bytes, algorithm)
  if (scheme === undefined)
    throw new ListError('its signature algorithm is unknown or too weak (RSA, ECDSA, EdDSA from SHA-224 on)')
  return {
    issuer: bytes.subarray(issuer.from, issuer.end),
    thisUpdate,
    nextUpdate,
    complete,
    serials,
    signed: bytes.subarray(body.from, body.end),
    signature: bytes.subarray(bits.start + 1, bits.end),
    scheme,
  }
}

const begin = '-----BEGIN X509 CRL-----'
const end = '-----END X509 CRL-----'

/** The lists of a PEM file, of which there may be several. */
function blocksOf(text: string): readonly Buffer[] {
  const blocks: Buffer[] = []
  for (let from = text.indexOf(begin); from !== -1; from = text.indexOf(begin, from)) {
    const to = text.indexOf(end, from)
    if (to === -1) break
    blocks.push(Buffer.from(text.slice(from + begin.length, to), 'base64'))
    from = to
  }
  return blocks
}

/** All lists of a file in DER or PEM, unverified. Throws ListError with what is wrong with it. */
export function readLists(bytes: Buffer): readonly RevocationList[] {
  const ders = bytes[0] === derTag.sequence ? [bytes] : blocksOf(bytes.toString('latin1'))
  if (ders.length === 0) throw new ListError('it is no revocation list in DER or PEM')
  try {
    return ders.map(readDer)
  } catch (error) {
    if (error instanceof DerError) throw new ListError(`its encoding ${error.message}`, { cause: error })
    throw error
  }
}
