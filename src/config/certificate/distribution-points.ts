// Where a certificate says that the revocation lists of its issuer are (RFC 5280 section 4.2.1.13): the derived `cdp` of spec
// control-plane 1.6. It is shown to operators and never fetched by itself: whoever gets a certificate signed would choose
// what Weir asks for.
import type { X509Certificate } from 'node:crypto'
import { type Cursor, DerError, type Element, cursorIn, derTag, elementsIn, hexOf } from '#platform'

const crlDistributionPoints = '551d1f'

/** The extensions of a certificate; none in those of version 1. */
function extensionsOf(bytes: Buffer): readonly Element[] {
  const whole = cursorIn(bytes, { start: 0, end: bytes.length }).take(derTag.sequence)
  const inside: Cursor = cursorIn(bytes, cursorIn(bytes, whole).take(derTag.sequence))
  inside.maybe(0xa0)
  inside.take(derTag.integer)
  // Algorithm, issuer, validity, subject, key; then identifiers that hardly anybody uses.
  for (let i = 0; i < 5; i++) inside.take(derTag.sequence)
  inside.maybe(0x81)
  inside.maybe(0x82)
  const wrapper = inside.maybe(0xa3)
  return wrapper === undefined ? [] : elementsIn(bytes, cursorIn(bytes, wrapper).take(derTag.sequence))
}

/** Each point has a full name ([0] in [0]) of general names, of which [6] is a URL. */
function urlsOf(bytes: Buffer, point: Element): readonly string[] {
  const name = cursorIn(bytes, point).maybe(0xa0)
  const full = name && cursorIn(bytes, name).maybe(0xa0)
  return (full === undefined ? [] : elementsIn(bytes, full))
    .filter(({ tag }) => tag === 0x86)
    .map(({ start, end }) => bytes.toString('latin1', start, end))
}

/** URLs, in their order; empty where the certificate names none or its extension cannot be read. */
export function distributionPoints({ raw }: X509Certificate): readonly string[] {
  try {
    return extensionsOf(raw).flatMap((extension) => {
      const inside = cursorIn(raw, extension)
      if (hexOf(raw, inside.take(derTag.oid)) !== crlDistributionPoints) return []
      inside.maybe(derTag.boolean)
      const points = cursorIn(raw, inside.take(derTag.octetString)).take(derTag.sequence)
      return elementsIn(raw, points).flatMap((point) => urlsOf(raw, point))
    })
  } catch (error) {
    // OpenSSL reads certificates that are no strict DER; nothing depends on this.
    if (error instanceof DerError) return []
    throw error
  }
}
