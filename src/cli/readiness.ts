// Ready means that a request through Envoy is really answered by a filter. The probe asks for a host that no site has, so
// that no origin is troubled, under a user agent that only this start knows, so that its requests leave no events.
import { request as overHttp } from 'node:http'
import { request as overTls } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import type { ListenerSettings } from '#envoy'
import type { SocketPlace } from '#platform'

const lookMs = 50
const probeHost = 'ready.weir.invalid'

/** Where to connect to reach what listens on all addresses. */
export const reachable = (host: string): string =>
  host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host

/** The URL that people on this machine use. */
export function localUrl(
  { host, port }: SocketPlace,
  protocol: ListenerSettings['protocol'] = 'http',
): string {
  const shown = ['0.0.0.0', '::', '127.0.0.1', '::1'].includes(host) ? 'localhost' : host
  const name = shown.includes(':') ? `[${shown}]` : shown
  const usual = protocol === 'http' ? 80 : 443
  return `${protocol}://${name}${port === usual ? '' : `:${String(port)}`}`
}

/** Status of one probe; undefined: no answer. */
function probe(
  { address, port, protocol }: ListenerSettings,
  userAgent: string,
): Promise<number | undefined> {
  const request = protocol === 'http' ? overHttp : overTls
  return new Promise((resolve) => {
    const asked = request(
      {
        host: reachable(address),
        port,
        agent: false,
        // Whether the certificate is a good one is between the site and its visitors.
        rejectUnauthorized: false,
        headers: { host: probeHost, 'user-agent': userAgent },
        timeout: 2000,
      },
      (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      },
    )
    asked.once('error', () => resolve(undefined))
    asked.once('timeout', () => asked.destroy())
    asked.end()
  })
}

/** 503 is what Envoy says while no filter answers it. */
const answered = (status: number | undefined): boolean => status !== undefined && status !== 503

/** Resolves when a request was answered; rejects after `timeoutMs` or when the signal is given. */
export async function untilAnswered(
  listener: ListenerSettings,
  userAgent: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!signal.aborted) {
    if (answered(await probe(listener, userAgent))) return
    if (performance.now() > deadline)
      throw new Error(`no request through Envoy was answered within ${String(timeoutMs / 1000)} s`)
    await pause(lookMs)
  }
  throw signal.reason
}
