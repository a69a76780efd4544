// Reading DER (X.690), as certificates and revocation lists are encoded: elements one after the other, straight from the
// bytes, without a tree. Object readers count every element and give up on lists of some thousand entries; revocation
// lists have hundreds of thousands. Nothing is read beyond its enclosing element, and what is not DER throws DerError.

export class DerError extends Error {
  override readonly name = 'DerError'
}

/** One element; `start`…`end` is its content, `from`…`end` all of it. */
export type Element = {
  /** Class, form and number in one byte: 0x30 is a SEQUENCE, 0xa0 the constructed context tag 0. */
  readonly tag: number
  readonly from: number
  readonly start: number
  readonly end: number
}

export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** The content octets that a length needs, and how many length octets there were. */
function readLength(bytes: Uint8Array, at: number, end: number): readonly [length: number, next: number] {
  const first = bytes[at]
  if (first === undefined || at >= end) throw new DerError('ends inside a length')
  if (first < 0x80) return [first, at + 1]
  const count = first & 0x7f
  if (count === 0) throw new DerError('has a length that is not stated')
  if (count > 4 || at + 1 + count > end) throw new DerError('has a length beyond its end')
  let length = 0
  for (let i = 1; i <= count; i++) length = length * 256 + (bytes[at + i] ?? 0)
  return [length, at + 1 + count]
}

/** The element that begins at `at`, inside `end`. */
export function elementAt(bytes: Uint8Array, at: number, end: number = bytes.length): Element {
  const tag = bytes[at]
  if (tag === undefined || at >= end) throw new DerError('ends too early')
  if ((tag & 0x1f) === 0x1f) throw new DerError('has a tag of several bytes')
  const [length, start] = readLength(bytes, at + 1, end)
  if (start + length > end) throw new DerError('has an element that is longer than what holds it')
  return { tag, from: at, start, end: start + length }
}

/** Reads the elements inside another one, in order. */
export type Cursor = {
  /** The tag that comes next; undefined at the end. */
  readonly peek: () => number | undefined
  /** The next element; throws unless it has this tag. */
  readonly take: (tag: number) => Element
  /** The next element if it has this tag. */
  readonly maybe: (...tags: readonly number[]) => Element | undefined
}

export function cursorIn(bytes: Uint8Array, { start, end }: Pick<Element, 'start' | 'end'>): Cursor {
  let at = start
  const peek = (): number | undefined => (at < end ? bytes[at] : undefined)
  const next = (): Element => {
    const element = elementAt(bytes, at, end)
    at = element.end
    return element
  }
  return {
    peek,
    take(tag) {
      if (peek() !== tag) throw new DerError(`lacks an element of tag ${tag.toString(16)}`)
      return next()
    },
    maybe(...tags) {
      const tag = peek()
      return tag !== undefined && tags.includes(tag) ? next() : undefined
    },
  }
}

/** All elements inside another one. */
export function elementsIn(bytes: Uint8Array, within: Pick<Element, 'start' | 'end'>): readonly Element[] {
  const found: Element[] = []
  for (let at = within.start; at < within.end;) {
    const element = elementAt(bytes, at, within.end)
    found.push(element)
    at = element.end
  }
  return found
}

/** An object identifier as its content bytes in hexadecimal, which is enough to compare it. */
export const hexOf = (bytes: Buffer, { start, end }: Element): string => bytes.toString('hex', start, end)

/**
 * An INTEGER as upper-case hexadecimal without leading zeros, `-` before negative ones: the spelling of
 * `normaliseSerial`.
 */
export function integerOf(bytes: Buffer, element: Element): string {
  const hex = hexOf(bytes, element)
  if (hex === '') throw new DerError('has an integer without digits')
  const negative = ((bytes[element.start] ?? 0) & 0x80) !== 0
  if (!negative) return normaliseSerial(hex)
  const value = BigInt.asIntN(4 * hex.length, BigInt(`0x${hex}`))
  return normaliseSerial(value.toString(16))
}

/** The one spelling of a serial number in hexadecimal. */
export function normaliseSerial(hex: string): string {
  const [, sign = '', digits = ''] = /^(-?)0*(.*)$/.exec(hex) ?? []
  return `${sign}${digits === '' ? '0' : digits.toUpperCase()}`
}

const utc = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
const generalized = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/

/** A time as milliseconds since 1970; RFC 5280 allows only whole seconds in UTC. */
export function timeOf(bytes: Buffer, { tag, start, end }: Element): number {
  const text = bytes.toString('latin1', start, end)
  const parts = (tag === derTag.utcTime ? utc : generalized).exec(text)
  if (parts === null) throw new DerError('has a time that cannot be read')
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number)
  const century = tag === derTag.utcTime ? (year < 50 ? 2000 : 1900) : 0
  return Date.UTC(century + year, month - 1, day, hour, minute, second)
}
