// Writing DER, for certificates and revocation lists that no library would make: wrong ones, odd ones, and with keys of
// every kind.
const length = (bytes: number): Buffer => {
  if (bytes < 0x80) return Buffer.from([bytes])
  const hex = bytes.toString(16)
  const digits = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return Buffer.concat([Buffer.from([0x80 + digits.length]), digits])
}

export type Part = Buffer | readonly Buffer[]

export function der(tag: number, ...parts: readonly Part[]): Buffer {
  const content = Buffer.concat(parts.flat())
  return Buffer.concat([Buffer.from([tag]), length(content.length), content])
}

export const sequence = (...parts: readonly Part[]): Buffer => der(0x30, ...parts)
export const set = (...parts: readonly Part[]): Buffer => der(0x31, ...parts)
/** Content in hexadecimal. */
export const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'))
/** Content in hexadecimal, as it is. */
export const rawInteger = (hex: string): Buffer => der(0x02, Buffer.from(hex, 'hex'))
/** A number that is not negative, in hexadecimal. */
export function integer(hex: string): Buffer {
  const even = hex.length % 2 === 0 ? hex : `0${hex}`
  return rawInteger(/^[89a-f]/i.test(even) ? `00${even}` : even)
}
export const bits = (bytes: Buffer): Buffer => der(0x03, Buffer.from([0]), bytes)
export const octets = (bytes: Buffer): Buffer => der(0x04, bytes)
export const yes = der(0x01, Buffer.from([0xff]))
export const text = (tag: number, value: string, encoding: BufferEncoding = 'utf8'): Buffer =>
  der(tag, Buffer.from(value, encoding))

const digits = (date: Date): string => date.toISOString().replace(/\D/g, '').slice(0, 14)
export const utcTime = (date: Date): Buffer => text(0x17, `${digits(date).slice(2)}Z`)
export const generalizedTime = (date: Date): Buffer => text(0x18, `${digits(date)}Z`)

export const extension = (name: string, value: Buffer, critical = false): Buffer =>
  sequence(oid(name), ...(critical ? [yes] : []), octets(value))

export const pem = (label: string, bytes: Buffer): string =>
  `-----BEGIN ${label}-----\n${bytes.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`
