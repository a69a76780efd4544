// Reading protobuf's wire format by hand, on protobufjs' Reader: where a message is read for every request, a full
// decode would make objects of everything in it, and only some of it is needed. Every length is checked: garbage
// ends in an exception, never in a loop or a read past the end.
import protobuf from 'protobufjs/minimal.js'

export type WireReader = protobuf.Reader

/** From a Buffer, text is decoded natively. */
export const createReader = (message: Uint8Array): WireReader => protobuf.Reader.create(message)

/** The tag of a field as it stands on the wire; fields that come with another wire type are unknown ones. */
export const tag = (field: number, type: 'varint' | 'fixed64' | 'bytes'): number =>
  field * 8 + (type === 'varint' ? 0 : type === 'fixed64' ? 1 : 2)

/** Reads the length of what follows and returns where it ends. */
export function enter(reader: WireReader): number {
  const end = reader.uint32() + reader.pos
  if (end > reader.len) throw new RangeError(`a field ends at ${end} of ${reader.len} bytes`)
  return end
}

/** Checks that what was read ended where its length said. */
export function leave(reader: WireReader, end: number): void {
  if (reader.pos !== end) throw new RangeError(`a message ends at ${reader.pos} instead of ${end}`)
}

/** Skips the field whose tag was read last. */
export function skip(reader: WireReader, lastTag: number): void {
  reader.skipType(lastTag & 7, 0, lastTag >>> 3)
}

/** Reads the value of the field whose tag is `field` into `into`, or says that it is of no interest. */
export type ReadField<T> = (into: T, field: number, reader: WireReader) => boolean

/** Reads the message whose length comes next; what `readField` does not want is skipped. */
export function readMessage<T>(reader: WireReader, into: T, readField: ReadField<T>): void {
  const end = enter(reader)
  while (reader.pos < end) {
    const field = reader.uint32()
    if (!readField(into, field, reader)) skip(reader, field)
  }
  leave(reader, end)
}

/** The same for a message that is all that is left to read. */
export function readAll<T>(reader: WireReader, into: T, readField: ReadField<T>): void {
  while (reader.pos < reader.len) {
    const field = reader.uint32()
    if (!readField(into, field, reader)) skip(reader, field)
  }
}

/**
 * A signed 64-bit varint as a number; outside of ±2^53 it loses precision. Read by hand, because the library makes
 * an object for each.
 */
export function readInt64(reader: WireReader): number {
  let low = 0
  let high = 0
  for (let shift = 0; shift < 70; shift += 7) {
    if (reader.pos >= reader.len) throw new RangeError('a number has no end')
    const byte = reader.buf[reader.pos++] ?? 0
    if (shift < 28) low |= (byte & 127) << shift
    else if (shift === 28) {
      low |= (byte & 15) << 28
      high |= (byte & 127) >> 4
    } else high |= (byte & 127) << (shift - 32)
    if (byte < 128) return high * 4294967296 + (low >>> 0)
  }
  throw new RangeError('a number has no end')
}
