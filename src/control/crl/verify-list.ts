// Whose list it is: the CA of the bundle whose name it carries and whose key signed it. Names are compared as RFC 5280 says,
// because a CA may write its name in another kind of string in its lists than in its certificate.
import type { BundledCa } from '#config'
import { cursorIn, derTag, elementsIn, hexOf } from '#platform'
import { ListError, type RevocationList } from './read-list.ts'
import { isSigned } from './signature.ts'

const bmpString = 0x1e

function valueText(bytes: Buffer, tag: number, start: number, end: number): string {
  const value = bytes.subarray(start, end)
  if (tag !== bmpString) return value.toString('utf8')
  return value.length % 2 === 0 ? Buffer.from(value).swap16().toString('utf16le') : value.toString('latin1')
}

/** A Name, spelled so that equal names are equal: lower-case, single spaces, whatever kind of string it was. */
export function canonicalName(name: Buffer): string {
  const parts = elementsIn(name, elementsIn(name, { start: 0, end: name.length })[0] ?? { start: 0, end: 0 })
  const canonical = parts.map((part) =>
    elementsIn(name, part)
      .map((attribute) => {
        const [type, value] = elementsIn(name, attribute)
        if (type === undefined || value === undefined) return ''
        const text = valueText(name, value.tag, value.start, value.end)
        return `${hexOf(name, type)}=${text.trim().replace(/\s+/g, ' ').toLowerCase()}`
      })
      .toSorted(),
  )
  return JSON.stringify(canonical)
}

/** DER of the subject of a certificate in DER. */
export function subjectOf(certificate: Buffer): Buffer {
  const whole = cursorIn(certificate, { start: 0, end: certificate.length }).take(derTag.sequence)
  const inside = cursorIn(certificate, cursorIn(certificate, whole).take(derTag.sequence))
  inside.maybe(0xa0)
  inside.take(derTag.integer)
  // Algorithm, issuer, validity.
  for (let i = 0; i < 3; i++) inside.take(derTag.sequence)
  const subject = inside.take(derTag.sequence)
  return certificate.subarray(subject.from, subject.end)
}

const isNamed = (list: RevocationList, { certificate }: BundledCa): boolean =>
  canonicalName(list.issuer) === canonicalName(subjectOf(certificate.raw))

/** Id of the CA whose list it is; undefined: of none of these. Throws ListError when it only claims to be. */
export function signerOf(list: RevocationList, cas: readonly BundledCa[]): string | undefined {
  const named = cas.filter((ca) => isNamed(list, ca))
  if (named.length === 0) return undefined
  const { scheme, signed, signature } = list
  const signer = named.find(({ certificate }) => isSigned(scheme, signed, signature, certificate.publicKey))
  if (signer === undefined) throw new ListError('its signature is not that of the CA that it names')
  return signer.id
}
