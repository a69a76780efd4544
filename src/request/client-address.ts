// Who the client is, when proxies stand in between (spec pipeline 1.3): forwarded addresses count only as far as the
// chain of trusted sources reaches, seen from Weir.
import { addressOfHostPort } from '#platform'
import type { Head, ReadSettings } from './request.ts'

export type Client = {
  readonly ip: string
  readonly peer: string
  /** A piece of the header that was walked is not an address. */
  readonly invalid: boolean
  readonly peerTrusted: boolean
}

type Walked = { readonly ip: string | undefined; readonly invalid: boolean }

/** From right to left: past trusted addresses, to the first untrusted one. */
function walk(value: string, trusts: (address: string) => boolean): Walked {
  let last: string | undefined
  for (let end = value.length; end >= 0;) {
    const comma = end === 0 ? -1 : value.lastIndexOf(',', end - 1)
    const address = addressOfHostPort(value.slice(comma + 1, end).trim())
    if (address === undefined) return { ip: last, invalid: true }
    last = address
    if (comma < 0 || !trusts(address)) break
    end = comma
  }
  return { ip: last, invalid: false }
}

function forwarded({ headers }: Head, settings: ReadSettings): Walked {
  for (const name of settings.clientAddressHeaders) {
    const header = headers.get(name)
    if (header !== undefined) return walk(header.value, settings.trusts)
  }
  return { ip: undefined, invalid: false }
}

export function readClient(head: Head, settings: ReadSettings): Client {
  const { input } = head
  const peer = addressOfHostPort(input.peer) ?? input.peer
  const peerTrusted = settings.trusts(peer)
  if (input.client !== undefined) {
    return { ip: addressOfHostPort(input.client) ?? input.client, peer, invalid: false, peerTrusted }
  }
  if (!peerTrusted) return { ip: peer, peer, invalid: false, peerTrusted }
  const { ip, invalid } = forwarded(head, settings)
  return { ip: ip ?? peer, peer, invalid, peerTrusted }
}

/** `x-forwarded-proto` of a trusted peer; of a list the first, which the outermost proxy wrote. */
export function readScheme({ input, headers }: Head, peerTrusted: boolean): 'http' | 'https' {
  if (!peerTrusted) return input.scheme
  const said = headers.get('x-forwarded-proto')?.value.split(',', 1)[0]?.trim().toLowerCase()
  return said === 'http' || said === 'https' ? said : input.scheme
}
