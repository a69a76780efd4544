// Reads `google.protobuf.Struct` into plain values: the dynamic metadata that other Envoy filters leave behind.
// Bounded in depth and in the number of values, because a filter before Weir may put a client's claims into it.
import { type ReadField, type WireReader, readInt64, readMessage, tag } from './wire.ts'

export type StructValue =
  null | number | string | boolean | readonly StructValue[] | { readonly [key: string]: StructValue }

const maxDepth = 32
const maxValues = 1000

const repeated = tag(1, 'bytes')
const key = tag(1, 'bytes')
const content = tag(2, 'bytes')

/** google.protobuf.Value */
const kinds = {
  null: tag(1, 'varint'),
  number: tag(2, 'fixed64'),
  string: tag(3, 'bytes'),
  bool: tag(4, 'varint'),
  struct: tag(5, 'bytes'),
  list: tag(6, 'bytes'),
} as const

type Holder = { value: StructValue; readonly depth: number }
type ListHolder = { readonly values: StructValue[]; readonly depth: number }
type Entries = { readonly entries: Map<string, StructValue>; readonly depth: number }
type Entry = { name: string; readonly held: Holder }

const readKind: ReadField<Holder> = (holder, field, reader) => {
  if (field === kinds.string) holder.value = reader.string()
  else if (field === kinds.number) holder.value = reader.double()
  else if (field === kinds.bool) holder.value = readInt64(reader) !== 0
  else if (field === kinds.struct) holder.value = readStruct(reader, holder.depth + 1)
  else if (field === kinds.list) holder.value = readList(reader, holder.depth + 1)
  else return false
  return true
}

function readInto(reader: WireReader, holder: Holder): void {
  if (holder.depth > maxDepth) throw new RangeError('a Struct is nested too deep')
  readMessage(reader, holder, readKind)
}

/** Reads the google.protobuf.Value whose length comes next. */
export function readValue(reader: WireReader, depth = 0): StructValue {
  const holder: Holder = { value: null, depth }
  readInto(reader, holder)
  return holder.value
}

const readItem: ReadField<ListHolder> = ({ values, depth }, field, reader) => {
  if (field !== repeated) return false
  values.push(readValue(reader, depth))
  return true
}

function readList(reader: WireReader, depth: number): readonly StructValue[] {
  const holder: ListHolder = { values: [], depth }
  readMessage(reader, holder, readItem)
  return holder.values
}

const readEntryField: ReadField<Entry> = (entry, field, reader) => {
  if (field === key) entry.name = reader.string()
  else if (field === content) readInto(reader, entry.held)
  else return false
  return true
}

const readEntry: ReadField<Entries> = ({ entries, depth }, field, reader) => {
  if (field !== repeated) return false
  const entry: Entry = { name: '', held: { value: null, depth } }
  readMessage(reader, entry, readEntryField)
  entries.set(entry.name, entry.held.value)
  return true
}

/** Reads the google.protobuf.Struct whose length comes next; throws on what is not one. */
export function readStruct(reader: WireReader, depth = 0): { readonly [key: string]: StructValue } {
  const holder: Entries = { entries: new Map(), depth }
  readMessage(reader, holder, readEntry)
  return Object.fromEntries(holder.entries)
}

const isList = (value: object): value is readonly StructValue[] => Array.isArray(value)

/** `{jwt: {sub: "x", aud: ["a", "b"]}}` gives `jwt.sub` and, a list's scalars joined by a space, `jwt.aud`. */
function flatten(values: Map<string, string>, name: string, value: StructValue): void {
  if (value === null || values.size >= maxValues) return
  if (typeof value !== 'object') values.set(name, String(value))
  else if (isList(value)) {
    values.set(name, value.filter((item) => item !== null && typeof item !== 'object').join(' '))
  } else {
    for (const [part, inner] of Object.entries(value))
      flatten(values, name === '' ? part : `${name}.${part}`, inner)
  }
}

/** One entry of `filter_metadata`; its key is the name of an Envoy filter and says nothing to a policy. */
const readNamespace: ReadField<Map<string, string>> = (values, field, reader) => {
  if (field !== content) return false
  flatten(values, '', readStruct(reader))
  return true
}

const readFilterMetadata: ReadField<Map<string, string>> = (values, field, reader) => {
  if (field !== repeated) return false
  readMessage(reader, values, readNamespace)
  return true
}

/** Adds the scalars of the envoy.config.core.v3.Metadata whose length comes next, by their dotted names. */
export function readMetadataValues(reader: WireReader, values: Map<string, string>): void {
  readMessage(reader, values, readFilterMetadata)
}
