// Fetching what a configuration names (feeds, revocation lists) without becoming a way into the network around Weir (spec
// control-plane 3.7). Built on node:http and node:https, which take a resolver of our own: a name is resolved once, its
// addresses are checked, and the connection goes to one of those and to nothing else. Redirects are followed by hand, each
// checked like the first URL. Whatever a server does is an answer with a reason; what rejects is a defect.
import { lookup } from 'node:dns/promises'
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { type LookupFunction, isIP } from 'node:net'
import type { Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { type FetchSettings, type Rules, type SchemeRule, type Target, compileRules } from './rules.ts'

export type GuardSettings = FetchSettings & {
  /** Milliseconds for everything, redirects included. */
  readonly timeoutMs: number
  /** Bytes that an answer may have, unpacked. */
  readonly maxBytes: number
}

export type Fetched =
  { readonly ok: true; readonly bytes: Buffer } | { readonly ok: false; readonly reason: string }

/** @param options left out: nothing is said of the content, so only https will do */
export type GuardedFetch = (url: string, options?: SchemeRule) => Promise<Fetched>

/** All addresses of a name; rejects when there is none. */
export type Resolve = (host: string) => Promise<readonly string[]>

const mostRedirects = 3

const systemResolve: Resolve = async (host) =>
  (await lookup(host, { all: true, order: 'verbatim' })).map(({ address }) => address)

const failed = (reason: string): Fetched => ({ ok: false, reason })

/** Messages of the system name addresses; its codes do not. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return 'unknown reason'
  return String(error.code)
}

class FetchFailure extends Error {
  override readonly name = 'FetchFailure'
}

/** Answers with these addresses, whatever is asked for. */
const fixedLookup =
  (addresses: readonly string[]): LookupFunction =>
  (_host, options, answer) => {
    const found = addresses.map((address) => ({ address, family: isIP(address) }))
    const [first] = found
    if (options.all === true) answer(null, found)
    else if (first !== undefined) answer(null, first.address, first.family)
    else answer(new Error('no address'), '', 0)
  }

async function addressesOf(
  { host }: Target,
  resolve: Resolve,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host]
  const late = Promise.withResolvers<never>()
  const abort = (): void => late.reject(new FetchFailure('it took too long'))
  signal.addEventListener('abort', abort, { once: true })
  try {
    // The resolver of the system cannot be interrupted, only left alone.
    return await Promise.race([resolve(host), late.promise])
  } catch (error) {
    if (error instanceof FetchFailure) throw error
    throw new FetchFailure(`its name cannot be resolved (${codeOf(error)})`, { cause: error })
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function responseFrom(
  { url, port }: Target,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = request(url, {
      port,
      signal,
      lookup: fixedLookup(addresses),
      // A connection of its own: a kept one might lead elsewhere.
      agent: false,
      headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'weir' },
    })
    sent.once('response', resolve)
    sent.on('error', (error) =>
      reject(
        new FetchFailure(signal.aborted ? 'it took too long' : `the connection failed (${codeOf(error)})`, {
          cause: error,
        }),
      ),
    )
    sent.end()
  })
}

/** Some servers pack although they were asked not to. */
function unpacked(response: IncomingMessage): Readable {
  switch (response.headers['content-encoding']?.toLowerCase() ?? 'identity') {
    case 'identity':
      return response
    case 'gzip':
    case 'x-gzip':
      return response.pipe(createGunzip())
    case 'deflate':
      return response.pipe(createInflate())
    case 'br':
      return response.pipe(createBrotliDecompress())
    default:
      throw new FetchFailure('its content-encoding is unknown')
  }
}

async function bodyOf(response: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  const tooLarge = (): FetchFailure =>
    new FetchFailure(`it has more than ${String(maxBytes)} bytes (setting fetch.max_bytes)`)
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLarge()
  const chunks: Buffer[] = []
  let bytes = 0
  const stream = unpacked(response)
  // An error of the packed stream does not reach the unpacking one by itself.
  response.once('error', (error) => stream.destroy(error))
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > maxBytes) throw tooLarge()
      chunks.push(chunk)
    }
  } catch (error) {
    if (signal.aborted) throw new FetchFailure('it took too long', { cause: error })
    if (error instanceof FetchFailure) throw error
    throw new FetchFailure(`its content could not be read (${codeOf(error)})`, { cause: error })
  }
  return Buffer.concat(chunks, bytes)
}

const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status)

type Exchange = {
  readonly rules: Rules
  readonly resolve: Resolve
  readonly scheme: SchemeRule
  readonly maxBytes: number
  readonly signal: AbortSignal
}

async function follow(first: string, exchange: Exchange): Promise<Buffer> {
  const { rules, resolve, scheme, maxBytes, signal } = exchange
  let text = first
  for (let redirects = 0; ; redirects++) {
    const target = rules.target(text, scheme)
    if ('refused' in target) throw new FetchFailure(target.refused)
    const addresses = rules.permitted(target, await addressesOf(target, resolve, signal))
    if ('refused' in addresses) throw new FetchFailure(addresses.refused)
    const response = await responseFrom(target, addresses, signal)
    try {
      const status = response.statusCode ?? 0
      const { location } = response.headers
      if (status === 200) return await bodyOf(response, maxBytes, signal)
      if (!isRedirect(status) || location === undefined)
        throw new FetchFailure(`it was answered with status ${String(status)}`)
      if (redirects === mostRedirects)
        throw new FetchFailure(`it leads on more than ${String(mostRedirects)} times`)
      if (!URL.canParse(location, target.url.href)) throw new FetchFailure('it leads on to what is no URL')
      text = new URL(location, target.url).href
    } finally {
      response.destroy()
    }
  }
}

/** @param resolve for tests; default: the resolver of the system */
export function createGuardedFetch(settings: GuardSettings, resolve: Resolve = systemResolve): GuardedFetch {
  const rules = compileRules(settings)
  return async (url, scheme = { signed: false }) => {
    const signal = AbortSignal.timeout(settings.timeoutMs)
    try {
      const { maxBytes } = settings
      return { ok: true, bytes: await follow(url, { rules, resolve, scheme, maxBytes, signal }) }
    } catch (error) {
      if (error instanceof FetchFailure) return failed(error.message)
      throw error
    }
  }
}
