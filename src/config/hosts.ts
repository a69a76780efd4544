// Names of hosts in documents: what a server name stands for (spec control-plane 1.1) and which backends are this
// machine itself (1.3).
import { type PatternProblem, canonicalAddress, checkPattern } from '#platform'

import type { ServerName } from './policy.ts'

const plain = /^(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(:[0-9]+)?$/
const bracketed = /^\[([0-9A-Fa-f:.]+)\](:[0-9]{1,5})?$/

export type ServerNameResult =
  { readonly ok: true; readonly name: ServerName } | { readonly ok: false; readonly problem: PatternProblem }

const literal = (host: string): ServerNameResult => ({ ok: true, name: { kind: 'literal', host } })

/** An address as a client would write it in Host: IPv6 in brackets. */
function addressHost(text: string): string | undefined {
  const inner = bracketed.exec(text)
  const address = canonicalAddress(inner?.[1] ?? text)
  if (address === undefined) return undefined
  return `${address.includes(':') ? `[${address}]` : address}${inner?.[2] ?? ''}`
}

/** Tells an element of `server_names` apart; an expression that RE2 refuses is a problem. */
export function readServerName(text: string): ServerNameResult {
  if (text === '__default__') return { ok: true, name: { kind: 'everything' } }
  const address = addressHost(text)
  if (address !== undefined) return literal(address)
  if (plain.test(text)) {
    const host = text.toLowerCase()
    return host.startsWith('*.')
      ? { ok: true, name: { kind: 'wildcard', suffix: host.slice(1) } }
      : literal(host)
  }
  const pattern = text.startsWith('~') ? text.slice(1) : text
  const problem = checkPattern(pattern)
  return problem === undefined ? { ok: true, name: { kind: 'regex', pattern } } : { ok: false, problem }
}

/** One text per distinct name, to find the same host twice. */
export function serverNameKey(name: ServerName): string {
  switch (name.kind) {
    case 'literal':
      return name.host
    case 'wildcard':
      return `*${name.suffix}`
    case 'regex':
      return `~${name.pattern}`
    case 'everything':
      return '__default__'
    default:
      return name satisfies never
  }
}

/** Whether a backend's host is this machine: 127.0.0.0/8, 0.0.0.0, ::, ::1, localhost. */
export function isThisMachine(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '')
  if (name === 'localhost' || name.endsWith('.localhost')) return true
  const address = canonicalAddress(name.replace(/^\[(.*)\]$/, '$1'))
  return address !== undefined && (address.startsWith('127.') || ['0.0.0.0', '::', '::1'].includes(address))
}

/** A host name or an address (IPv6 with or without brackets). */
export const isHost = (text: string): boolean =>
  addressHost(text) !== undefined ||
  (text.length <= 253 &&
    // Resolvers read 127.1 and 0x7f000001 as addresses; only the usual spelling is one here.
    !/(?:^|\.)(?:[0-9]+|0x[0-9A-Fa-f]*)\.?$/i.test(text) &&
    /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/.test(text))
