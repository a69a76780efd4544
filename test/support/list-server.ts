// A server of revocation lists that can be taken away and come back on the same port.
import { once } from 'node:events'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export type ListServer = {
  url(path: string): string
  /** What a path answers from now on; undefined: 404. */
  serve(path: string, list: Buffer | undefined): void
  /** How often a path was asked for. */
  asked(path: string): number
  down(): Promise<void>
  up(): Promise<void>
}

export async function startListServer(): Promise<ListServer> {
  const lists = new Map<string, Buffer>()
  const counts = new Map<string, number>()
  let port = 0
  let server: Server | undefined
  const up = async (): Promise<void> => {
    server = createServer(({ url = '' }, response) => {
      counts.set(url, (counts.get(url) ?? 0) + 1)
      const list = lists.get(url)
      response.writeHead(list === undefined ? 404 : 200).end(list)
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  }
  await up()
  return {
    url: (path) => `http://127.0.0.1:${String(port)}${path}`,
    serve(path, list) {
      if (list === undefined) lists.delete(path)
      else lists.set(path, list)
    },
    asked: (path) => counts.get(path) ?? 0,
    async down() {
      const closed = new Promise((resolve) => server?.close(resolve) ?? resolve(undefined))
      server?.closeAllConnections()
      await closed
    },
    up,
  }
}
