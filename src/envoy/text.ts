// Text out of a message, cheaply. Most of what Envoy sends is ASCII: a stretch of the message (all of it, or its headers) is
// turned into one string, and each field in it is a slice of that, which costs a fifth of asking the decoder field by
// field. A slice keeps its stretch alive, so a stretch has a bound; what lies outside of one is decoded by itself.

/** Bytes; no slice keeps more than this alive. */
const longestStretch = 16_384

export class Text {
  readonly #bytes: Uint8Array
  readonly #buffer: Buffer
  #stretch = ''
  #from = 0
  #until = 0

  constructor(message: Uint8Array) {
    this.#bytes = message
    this.#buffer = Buffer.isBuffer(message)
      ? message
      : Buffer.from(message.buffer, message.byteOffset, message.byteLength)
    this.stretch(0, message.length)
  }

  /** Says that the fields that come next lie between the two places. */
  stretch(start: number, end: number): void {
    if (end - start > longestStretch || (start >= this.#from && end <= this.#until)) return
    this.#stretch = this.#buffer.toString('latin1', start, end)
    this.#from = start
    this.#until = end
  }

  /** ASCII as a string, anything else as the bytes that it is (a view of the message). */
  textOrBytes(start: number, end: number): string | Uint8Array {
    return this.#isAscii(start, end) ? this.#ascii(start, end) : this.#bytes.subarray(start, end)
  }

  /** As UTF-8; what is not valid becomes U+FFFD. */
  text(start: number, end: number): string {
    return this.#isAscii(start, end) ? this.#ascii(start, end) : this.#buffer.toString('utf8', start, end)
  }

  #isAscii(start: number, end: number): boolean {
    let seen = 0
    for (let i = start; i < end; i++) seen |= this.#bytes[i] ?? 0
    return seen < 128
  }

  #ascii(start: number, end: number): string {
    return start >= this.#from && end <= this.#until
      ? this.#stretch.slice(start - this.#from, end - this.#from)
      : this.#buffer.toString('latin1', start, end)
  }
}
