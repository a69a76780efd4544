// Text out of a message, cheaply. Most of what Envoy sends is ASCII: the whole message is turned into one string
// once, and each field is a slice of it, a fifth of the cost of asking the decoder field by field. Such a slice keeps
// its parent alive, so only messages up to a bound are treated this way; longer ones are decoded field by field.

/** Bytes; a slice never keeps more than this alive. */
const sliceable = 16_384

export type Text = {
  /** ASCII as a string, anything else as the bytes that it is (a view of the message). */
  readonly textOrBytes: (start: number, end: number) => string | Uint8Array
  /** As UTF-8; what is not valid becomes U+FFFD. */
  readonly text: (start: number, end: number) => string
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  let seen = 0
  for (let i = start; i < end; i++) seen |= bytes[i] ?? 0
  return seen < 128
}

export function createText(message: Uint8Array): Text {
  const buffer = Buffer.from(message.buffer, message.byteOffset, message.byteLength)
  const whole = buffer.length <= sliceable ? buffer.toString('latin1') : undefined
  const ascii = (start: number, end: number): string =>
    whole === undefined ? buffer.toString('latin1', start, end) : whole.slice(start, end)
  return {
    textOrBytes: (start, end) =>
      isAscii(message, start, end) ? ascii(start, end) : message.subarray(start, end),
    text: (start, end) =>
      isAscii(message, start, end) ? ascii(start, end) : buffer.toString('utf8', start, end),
  }
}
