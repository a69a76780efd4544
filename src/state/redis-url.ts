// Where Redis is, as one setting, because a filter gets it from one environment variable: `redis://`, `rediss://` for TLS,
// `redis-cluster://` and `rediss-cluster://` with some of the cluster's nodes, separated by commas.

export type RedisNode = { readonly host: string; readonly port: number }

export type RedisAddress = {
  readonly cluster: boolean
  readonly tls: boolean
  /** One node, or those of a cluster that are asked for the others. */
  readonly nodes: readonly [RedisNode, ...RedisNode[]]
  readonly username: string | undefined
  readonly password: string | undefined
  readonly db: number
}

export const nodeName = ({ host, port }: RedisNode): string =>
  host.includes(':') ? `[${host}]:${String(port)}` : `${host}:${String(port)}`

const example =
  'write redis://[user:password@]host[:port][/db], rediss://… for TLS, or redis-cluster://host:port,host:port'

/** The url without what must not be logged. */
const shown = (url: string): string => url.replace(/\/\/[^@/]*@/, '//…@')

function parseNode(text: string): RedisNode | undefined {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?$/.exec(text)
  const host = found?.[1] ?? found?.[2]
  const port = Number(found?.[3] ?? 6379)
  return host === undefined || port < 1 || port > 65535 ? undefined : { host, port }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A password with a bare `%` was meant as it stands.
    return text
  }
}

function parseUser(text: string): Pick<RedisAddress, 'username' | 'password'> {
  if (text === '') return { username: undefined, password: undefined }
  const at = text.indexOf(':')
  const username = decode(at === -1 ? text : text.slice(0, at))
  return { username: username || undefined, password: at === -1 ? undefined : decode(text.slice(at + 1)) }
}

/** Reads the setting; throws an Error that says what is wrong and what to write instead. */
export function parseRedisUrl(url: string): RedisAddress {
  const refuse = (why: string): never => {
    throw new Error(`Redis address "${shown(url)}": ${why}; ${example}`)
  }
  const found = /^(rediss?)(-cluster)?:\/\/(?:(.*)@)?([^/@]+)(?:\/([^/]*))?$/.exec(url)
  if (!found) return refuse('not understood')
  const [, scheme, clustered, user = '', hosts = '', path = ''] = found
  const cluster = clustered !== undefined
  const [first, ...others] = hosts
    .split(',')
    .map((text) => parseNode(text.trim()) ?? refuse(`"${text}" is not a host and port`))
  if (first === undefined) return refuse('no host')
  if (others.length > 0 && !cluster) return refuse('several hosts without "-cluster"')
  if (!/^[0-9]{0,5}$/.test(path)) return refuse(`"${path}" is not the number of a database`)
  const db = Number(path)
  if (cluster && db !== 0) return refuse('a cluster has only database 0')
  return { cluster, tls: scheme === 'rediss', nodes: [first, ...others], ...parseUser(user), db }
}
