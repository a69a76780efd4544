// Which header lines the client sent. Envoy writes some of its own among them before it asks the filter: the id that it
// chose, the hop that it saw, the scheme of the connection. They are no part of the request (spec pipeline 1.6): counted,
// they would make `headers:2` a `headers:5`, and X-Forwarded-For would be present on every request, so that no header
// listed behind it could name the client. A line is taken away only where its value can be nothing but Envoy's: what a
// client wrote stays and is examined.
import type { HeaderLine } from '#request'

export type SentHeaders = {
  readonly lines: readonly HeaderLine[]
  /** Of the connection, in Envoy's words; undefined where it says nothing that a client could not have said. */
  readonly scheme: 'http' | 'https' | undefined
}

export type Hop = {
  /** Address of the TCP peer, as Envoy writes it. */
  readonly peer: string
  /** Addresses of this machine: Envoy writes one of them in place of a peer on loopback. */
  readonly own: ReadonlySet<string>
}

type Value = string | Uint8Array

/** The form of the ids that Envoy generates. */
const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/

const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.')

const textOf = (value: Value): string =>
  typeof value === 'string'
    ? value
    : Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')

/** X-Forwarded-For without the hop that Envoy appended; undefined: nothing else was in it. */
function beforeHop(value: Value, { peer, own }: Hop): Value | undefined {
  const text = textOf(value)
  const comma = text.lastIndexOf(',')
  const last = text.slice(comma + 1).trim()
  if (last !== peer && !(isLoopback(peer) && own.has(last))) return value
  return comma < 0 ? undefined : value.slice(0, comma)
}

/** Envoy sets this where it takes the peer for the client, and there X-Forwarded-Proto is its own as well. */
const saysPeerIsClient = ([name, value]: HeaderLine, peer: string): boolean =>
  name === 'x-envoy-external-address' && value === peer

/** Tells what the client sent from what Envoy added. Lines that stay keep their order. */
export function sentHeaders(lines: readonly HeaderLine[], hop: Hop): SentHeaders {
  const peerIsClient = lines.some((line) => saysPeerIsClient(line, hop.peer))
  const sent: HeaderLine[] = []
  let scheme: SentHeaders['scheme']
  for (const line of lines) {
    const [name, value] = line
    if (name === 'x-request-id' && uuid.test(textOf(value))) continue
    if (name === 'x-forwarded-proto' && peerIsClient && (value === 'http' || value === 'https')) {
      scheme = value
      continue
    }
    if (name !== 'x-forwarded-for') {
      sent.push(line)
      continue
    }
    const before = beforeHop(value, hop)
    if (before !== undefined) sent.push(before === value ? line : [name, before])
  }
  return { lines: sent, scheme }
}
