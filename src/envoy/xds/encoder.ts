// From JSON to bytes, and nothing twice: what was encoded for the snapshot before and has the same content is taken from
// there. A route configuration of a thousand sites is encoded site by site, so that a change of one costs one.
import { createHash } from 'node:crypto'
import protobuf from 'protobufjs'
import { ProtoJsonError, encodeJson } from '../proto-json.ts'
import { type JsonObject, isObject } from './json.ts'
import { type Reference, referencesOf, uniqueReferences } from './references.ts'

export type Encoded = { readonly bytes: Uint8Array; readonly references: readonly Reference[] }

export type Encoder = {
  /** Throws ProtoJsonError when the object is no message of this full name. */
  encode(message: string, json: JsonObject): Encoded
  /** Forgets what was not asked for since the last call. */
  endOfSnapshot(): void
}

/** A repeated field of messages that each are encoded for themselves. */
type Parts = { readonly field: string; readonly id: number; readonly message: string }

const partsOf: Readonly<Record<string, Parts>> = {
  'envoy.config.route.v3.RouteConfiguration': {
    field: 'virtual_hosts',
    id: 2,
    message: 'envoy.config.route.v3.VirtualHost',
  },
}

const lengthDelimited = 2

/** The bytes of a message and, behind them, those of one of its repeated fields: fields may come in any order. */
function append(bytes: Uint8Array, { id }: Parts, items: readonly Encoded[]): Uint8Array {
  const heads = items.map((item) =>
    protobuf.Writer.create()
      .uint32((id << 3) | lengthDelimited)
      .uint32(item.bytes.length)
      .finish(),
  )
  return Buffer.concat([bytes, ...items.flatMap((item, at) => [heads[at] ?? new Uint8Array(), item.bytes])])
}

export function createEncoder(): Encoder {
  let before: ReadonlyMap<string, Encoded> = new Map()
  let now = new Map<string, Encoded>()

  function remembered(message: string, json: JsonObject): Encoded {
    const key = createHash('sha256').update(message).update(JSON.stringify(json)).digest('base64')
    const known = now.get(key) ?? before.get(key)
    const encoded = known ?? { bytes: encodeJson(message, json), references: referencesOf(json) }
    now.set(key, encoded)
    return encoded
  }

  function part(message: string, parts: Parts, json: JsonObject, at: number): Encoded {
    try {
      return remembered(parts.message, json)
    } catch (error) {
      if (!(error instanceof ProtoJsonError)) throw error
      throw new ProtoJsonError(message, `/${parts.field}/${String(at)}${error.pointer}`, error.reason)
    }
  }

  return {
    encode(message, json) {
      const parts = partsOf[message]
      const list = parts && json[parts.field]
      if (!parts || !Array.isArray(list) || !list.every(isObject)) return remembered(message, json)
      const { [parts.field]: _, ...rest } = json
      const items = list.map((item, at) => part(message, parts, item, at))
      const own = remembered(message, rest)
      return {
        bytes: append(own.bytes, parts, items),
        references: uniqueReferences([own, ...items].flatMap(({ references }) => references)),
      }
    },
    endOfSnapshot() {
      before = now
      now = new Map()
    },
  }
}
