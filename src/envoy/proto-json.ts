// From proto3 JSON (snake_case names) to protobuf: how resources that are written as plain objects become what
// Envoy reads. The conversion is protobufjs' own ProtoJSON; what is added here are the JSON pointer of a mistake
// (operators patch these objects) and bytes that do not depend on the order in which an object was built.
import protobuf from 'protobufjs'
import protojson from 'protobufjs/ext/protojson.js'
import { isKnown, lookup } from './protos.ts'

/** A document that does not fit its message; `pointer` is a JSON pointer (RFC 6901), empty for the document itself. */
export class ProtoJsonError extends Error {
  readonly pointer: string
  readonly reason: string
  constructor(typeName: string, pointer: string, reason: string) {
    super(`${typeName}: ${reason}${pointer === '' ? '' : ` at ${pointer}`}`)
    this.name = 'ProtoJsonError'
    this.pointer = pointer
    this.reason = reason
  }
}

type Problem = { readonly pointer: string; readonly reason: string }
type JsonObject = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const maxDepth = 100

const token = (key: string | number): string => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`

/** Pointers are put together on the way out: a document without a mistake pays for none. */
const within = (key: string | number, problem: Problem): Problem => ({
  ...problem,
  pointer: token(key) + problem.pointer,
})

const isSorted = (keys: readonly string[]): boolean =>
  keys.every((key, at) => at === 0 || (keys[at - 1] ?? '') < key)

/** Map keys are written in the order of the object's keys, so that order is made a property of the content. */
function ordered(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > 2 * maxDepth) return value
  if (Array.isArray(value)) return value.map((item: unknown) => ordered(item, depth + 1))
  const object: JsonObject = { ...value }
  const keys = Object.keys(object)
  if (!isSorted(keys)) keys.sort()
  const copy: Record<string, unknown> = {}
  for (const key of keys) {
    const item = ordered(object[key], depth + 1)
    // Assigned, this one name would be no key.
    if (key === '__proto__') Object.defineProperty(copy, key, { value: item, enumerable: true })
    else copy[key] = item
  }
  return copy
}

/** What the library says of this one value, without the name of the message that it puts in front. */
function refusal(type: protobuf.Type, json: unknown): string | undefined {
  try {
    protojson.fromJson(type, json)
    return undefined
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return message.replace(/^\.?[\w.]+: /, '')
  }
}

/** Looks at one message of the document, or at one field's value in it. */
type Look = (type: protobuf.Type, json: unknown) => string | undefined

function problemInAny(json: JsonObject, depth: number, look: Look): Problem | undefined {
  const url = json['@type']
  if (url === undefined && Object.keys(json).length === 0) return undefined
  if (typeof url !== 'string') return { pointer: token('@type'), reason: 'the name of a message is expected' }
  const name = url.slice(url.lastIndexOf('/') + 1)
  if (!isKnown(name)) return { pointer: token('@type'), reason: `unknown message ${name}` }
  const { '@type': _, ...fields } = json
  return problemIn(lookup(name), fields, depth + 1, look)
}

function problemInField(
  field: protobuf.Field,
  json: unknown,
  depth: number,
  look: Look,
): Problem | undefined {
  const type = field.resolve().resolvedType
  if (!(type instanceof protobuf.Type) || json === null) return undefined
  const items = field instanceof protobuf.MapField || field.repeated ? entriesOf(json) : undefined
  if (!items) return problemIn(type, json, depth + 1, look)
  for (const [key, item] of items) {
    const problem = problemIn(type, item, depth + 1, look)
    if (problem) return within(key, problem)
  }
  return undefined
}

/** A value of the wrong kind has no entries: the conversion refuses it as a whole. */
const entriesOf = (json: unknown): Iterable<readonly [string | number, unknown]> =>
  Array.isArray(json) ? json.entries() : isObject(json) ? Object.entries(json) : []

const fieldOf = (type: protobuf.Type, key: string): protobuf.Field | undefined =>
  Object.hasOwn(type.fields, key)
    ? type.fields[key]
    : type.fieldsArray.find(({ jsonName }) => jsonName === key)

/** The innermost, first value that is unknown to its message or that `look` objects to. */
function problemIn(type: protobuf.Type, json: unknown, depth: number, look: Look): Problem | undefined {
  if (depth > maxDepth) return { pointer: '', reason: 'nested too deep' }
  if (isObject(json) && type.fullName === '.google.protobuf.Any') return problemInAny(json, depth, look)
  if (isObject(json) && !type.fullName.startsWith('.google.protobuf.')) {
    for (const [key, value] of Object.entries(json)) {
      const field = fieldOf(type, key)
      if (!field) return within(key, { pointer: '', reason: `unknown field ${key}` })
      const deeper = problemInField(field, value, depth, look)
      if (deeper) return within(key, deeper)
      const reason = look(type, { [key]: value })
      if (reason !== undefined) return within(key, { pointer: '', reason })
    }
  }
  const reason = look(type, json)
  return reason === undefined ? undefined : { pointer: '', reason }
}

const shape: Look = () => undefined

/**
 * The message of a proto3 JSON object with snake_case (or lowerCamelCase) names: Durations as `"5s"`, wrappers as
 * plain values, enums by name, bytes as base64, `google.protobuf.Any` as `{"@type": "type.googleapis.com/…", …}`.
 * Throws ProtoJsonError, with the pointer of the first mistake: unknown fields are mistakes.
 */
export function fromJson(typeName: string, json: unknown): protobuf.Message {
  const type = lookup(typeName)
  const misshapen = problemIn(type, json, 0, shape)
  if (misshapen) throw new ProtoJsonError(typeName, misshapen.pointer, misshapen.reason)
  try {
    return protojson.fromJson(type, ordered(json))
  } catch (error) {
    // Only now, because asking value by value converts each one as often as it is deep.
    const problem = problemIn(type, json, 0, refusal)
    const reason = error instanceof Error ? error.message : String(error)
    throw new ProtoJsonError(typeName, problem?.pointer ?? '', problem?.reason ?? reason)
  }
}

/** The bytes of `fromJson`; equal for equal content, whatever the order of keys. */
export const encodeJson = (typeName: string, json: unknown): Uint8Array =>
  lookup(typeName).encode(fromJson(typeName, json)).finish()

/** A `google.protobuf.Any` as the xDS messages carry resources. */
export type PackedAny = { readonly type_url: string; readonly value: Uint8Array }

export const packJson = (typeName: string, json: unknown): PackedAny => ({
  type_url: `type.googleapis.com/${typeName}`,
  value: encodeJson(typeName, json),
})
