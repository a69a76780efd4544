// The Host of a request: which site is meant, and whether it is one host at all (spec pipeline 1.1, 3.1).
import { canonicalAddress, codeAt } from '#platform'

export type HostName = { readonly host: string; readonly invalid: boolean }

const longest = 253

/** Letters, digits and `-_` in labels that are not empty. Scanned by hand: this runs for every request. */
function isName(text: string): boolean {
  const { length } = text
  if (length === 0 || length > longest) return false
  let label = 0
  for (let i = 0; i < length; i++) {
    const code = codeAt(text, i)
    if (code === 0x2e) {
      if (label === 0) return false
      label = 0
    } else {
      const known =
        (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x5f
      if (!known) return false
      label++
    }
  }
  return label > 0
}

function isPort(text: string): boolean {
  const { length } = text
  if (length === 0 || length > 5) return false
  for (let i = 0; i < length; i++) {
    const code = codeAt(text, i)
    if (code < 0x30 || code > 0x39) return false
  }
  return Number(text) <= 65535
}

function readLiteral(authority: string): HostName {
  const end = authority.indexOf(']')
  if (end < 0) return { host: authority, invalid: true }
  const inner = authority.slice(1, end)
  const rest = authority.slice(end + 1)
  const address = inner.includes(':') ? canonicalAddress(inner) : undefined
  const portFits = rest === '' || (rest.startsWith(':') && isPort(rest.slice(1)))
  if (address === undefined) return { host: authority.slice(0, end + 1), invalid: true }
  return { host: address.includes(':') ? `[${address}]` : address, invalid: !portFits }
}

/** Takes port and trailing dot off a lower-case authority. */
export function readHost(authority: string): HostName {
  if (authority.startsWith('[')) return readLiteral(authority)
  const colon = authority.indexOf(':')
  const name = colon < 0 ? authority : authority.slice(0, colon)
  const host = name.endsWith('.') ? name.slice(0, -1) : name
  return { host, invalid: !isName(host) || (colon >= 0 && !isPort(authority.slice(colon + 1))) }
}
