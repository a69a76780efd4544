// The few things that Weir asks Envoy's admin interface for.
import { type SocketPlace, formatPlace } from '#platform'

const longestWaitMs = 2000

async function ask(admin: SocketPlace, path: string, method: 'GET' | 'POST'): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(longestWaitMs)
    const answer = await fetch(`http://${formatPlace(admin)}${path}`, { method, signal })
    const text = await answer.text()
    return answer.ok ? text : undefined
  } catch {
    // Not there (yet, or any more): the caller asks again or goes on without.
    return undefined
  }
}

export const isLive = async (admin: SocketPlace): Promise<boolean> =>
  (await ask(admin, '/ready', 'GET')) !== undefined

/** New connections are no longer wanted, and answers on old ones say so. */
export const drainListeners = async (admin: SocketPlace): Promise<boolean> =>
  (await ask(admin, '/drain_listeners?graceful', 'POST')) !== undefined

/** Of these listeners are Weir's own questions, not clients' requests. */
const ownListeners = /^http\.(admin|weir_stats)\./

/** Requests of clients that run now; undefined: Envoy does not answer. */
export async function runningRequests(admin: SocketPlace): Promise<number | undefined> {
  const text = await ask(admin, '/stats?filter=downstream_rq_active', 'GET')
  if (text === undefined) return undefined
  return text
    .split('\n')
    .filter((line) => /^http\..*downstream_rq_active:/.test(line) && !ownListeners.test(line))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(':') + 1)), 0)
}
