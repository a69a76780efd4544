// Where a server listens: a TCP address or a Unix socket. A socket file that a process which died left behind is taken away; one
// behind which somebody still answers is not.
import { connect, type ListenOptions, type Server } from 'node:net'
import { unlinkSync } from 'node:fs'
import { isNativeError } from 'node:util/types'

const unixPrefix = 'unix:'

/** `host:port`, `[::1]:port` or `unix:/path`. */
function placeOf(address: string): ListenOptions {
  if (address.startsWith(unixPrefix)) return { path: address.slice(unixPrefix.length) }
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address) ?? []
  const host = bracketed ?? plain
  if (host === undefined || Number(digits) > 65_535)
    throw new Error('it is no host:port, [v6]:port or unix:/path')
  return { host, port: Number(digits) }
}

const listenOnce = (server: Server, place: ListenOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      reject(error)
    }
    server.once('error', failed)
    server.listen(place, () => {
      server.off('error', failed)
      resolve()
    })
  })

const codeOf = (error: unknown): unknown => (isNativeError(error) && 'code' in error ? error.code : undefined)

const isLeftBehind = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', (error) => resolve(codeOf(error) === 'ECONNREFUSED'))
  })

/** Resolves with what a client dials; rejects with address and reason. */
export async function listen(server: Server, address: string): Promise<string> {
  try {
    const place = placeOf(address)
    try {
      await listenOnce(server, place)
    } catch (error) {
      if (place.path === undefined || codeOf(error) !== 'EADDRINUSE' || !(await isLeftBehind(place.path)))
        throw error
      unlinkSync(place.path)
      await listenOnce(server, place)
    }
  } catch (error) {
    const reason = isNativeError(error) ? error.message : String(error)
    throw new Error(`cannot listen on ${address}: ${reason}`, { cause: error })
  }
  const bound = server.address()
  return bound === null || typeof bound === 'string'
    ? address
    : `${address.slice(0, address.lastIndexOf(':'))}:${bound.port}`
}
