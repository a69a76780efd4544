// What may be fetched (spec control-plane 3.7): the checks of the guard, apart from the network. Refusals name the rule and
// the host that was asked for, never the address that a name led to: whoever may write a URL must not explore a network.
import { addressSet, canonicalAddress, parseCidr } from '#platform'
import { refusedAs } from './addresses.ts'

export type FetchSettings = {
  /** Plain http is allowed for everything. */
  readonly allowHttp: boolean
  /** Names, addresses and prefixes that are exempt from the rules for addresses and ports. */
  readonly allowHosts: readonly string[]
}

/** Of one fetch. */
export type SchemeRule = {
  /** Plain http is allowed, because what is fetched is signed. */
  readonly signed: boolean
}

export type Refused = { readonly refused: string }

export type Target = {
  readonly url: URL
  /** As it is resolved and connected to: without brackets. */
  readonly host: string
  readonly port: number
}

export type Rules = {
  target(text: string, scheme: SchemeRule): Target | Refused
  /** Those of the addresses of a host that may be connected to; at least one, or why none. */
  permitted(target: Target, addresses: readonly string[]): readonly string[] | Refused
}

const refused = (reason: string): Refused => ({ refused: reason })

const bare = (host: string): string => host.replace(/^\[|\]$/g, '')
const plainName = (name: string): string => bare(name).toLowerCase().replace(/\.$/, '')

const usualPort: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 }

export function compileRules({ allowHttp, allowHosts }: FetchSettings): Rules {
  const isPrefix = (entry: string): boolean => parseCidr(bare(entry)) !== undefined
  const names = new Set(allowHosts.filter((entry) => !isPrefix(entry)).map(plainName))
  const inAllowedPrefix = addressSet(allowHosts.filter(isPrefix).map(bare))

  return {
    target(text, { signed }) {
      if (!URL.canParse(text)) return refused('this is no URL')
      const url = new URL(text)
      const usual = usualPort[url.protocol]
      if (usual === undefined) return refused(`only https is fetched, not ${url.protocol.slice(0, 20)}`)
      if (url.protocol === 'http:' && !signed && !allowHttp)
        return refused('only https is fetched (setting fetch.allow_http)')
      if (url.username !== '' || url.password !== '') return refused('a URL must not contain credentials')
      return { url, host: bare(url.hostname), port: url.port === '' ? usual : Number(url.port) }
    },
    permitted({ host, port }, addresses) {
      const isNamed = names.has(plainName(host))
      const isExempt = (address: string): boolean => isNamed || inAllowedPrefix(address)
      const readable = addresses.flatMap((address) => canonicalAddress(address) ?? [])
      const exempt = readable.filter(isExempt)
      if (exempt.length > 0) return exempt
      if (port !== 80 && port !== 443)
        return refused(`only ports 80 and 443 are fetched from (setting fetch.allow_hosts)`)
      const open = readable.filter((address) => refusedAs(address) === undefined)
      if (open.length > 0) return open
      const [kind] = readable.flatMap((address) => refusedAs(address) ?? [])
      return refused(`${kind ?? 'unreadable'} addresses are not fetched from (setting fetch.allow_hosts)`)
    },
  }
}
