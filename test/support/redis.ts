// Real Redis for tests: one server, or a cluster of three masters, on free ports of the loopback, gone when the test is.
// What the tests do to it is what happens to it in life: it is killed, stands still (SIGSTOP), comes back on its port, or the
// way to it is slow.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, type Socket, createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

export type RedisServer = {
  readonly port: number
  readonly url: string
  /** Runs a command given in one line; the reply as it came over the wire. */
  command(line: string): Promise<string>
  /** SIGSTOP and SIGCONT. */
  pause(): void
  resume(): void
  /** SIGKILL; `start` brings it back, empty, on the same port. */
  kill(): Promise<void>
  start(): Promise<void>
  /** Ends it for good. */
  stop(): Promise<void>
}

export type RedisCluster = {
  readonly url: string
  readonly masters: readonly RedisServer[]
  /** Adds a replica that takes over when its master is gone. */
  addReplica(of: RedisServer): Promise<RedisServer>
  stop(): Promise<void>
}

/** A way to a server that can be made slow. */
export type SlowProxy = {
  readonly port: number
  /** Milliseconds by which each piece of each answer is held back; 0: none. */
  delay(ms: number): void
  /** The connections that exist lead nowhere from now on, without being closed; new ones work. */
  stall(): void
  /** Round trips so far: how often somebody began to ask after an answer. */
  roundTrips(): number
  stop(): Promise<void>
}

const root = new URL('../../', import.meta.url).pathname

function fromToolsFile(): string | undefined {
  const file = join(root, '.cache/tools.json')
  if (!existsSync(file)) return undefined
  const tools: unknown = JSON.parse(readFileSync(file, 'utf8'))
  const path =
    typeof tools === 'object' && tools !== null && 'redisServer' in tools ? tools.redisServer : undefined
  return typeof path === 'string' ? path : undefined
}

/** Path of the Redis server: set-up's record, else PATH. Throws with the remedy. */
export function redisBinary(): string {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'redis-server'))
  const found = [fromToolsFile(), ...onPath].find((path) => path !== undefined && existsSync(path))
  if (found === undefined)
    throw new Error('no redis-server found: run `npm run verify` once, or install the package redis-server')
  return found
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** A port that was free a moment ago; Redis cannot choose one itself. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Sends one line (Redis takes commands as plain text too) and reads until the reply is complete or 2 s have passed. */
function converse(port: number, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    let reply = ''
    const finish = (): void => {
      socket.destroy()
      resolve(reply)
    }
    socket.setTimeout(2000, finish)
    socket.on('error', reject)
    socket.on('close', finish)
    socket.on('data', (chunk: Buffer) => {
      reply += chunk.toString('utf8')
      // The reply to the second command, QUIT, is the end.
      if (reply.endsWith('+OK\r\n') && reply !== '+OK\r\n') finish()
    })
    socket.write(`${line}\r\nQUIT\r\n`)
  })
}

async function eventually(what: string, logs: () => string, look: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  for (;;) {
    if (await look().catch(() => false)) return
    if (Date.now() > deadline) throw new Error(`Redis: ${what} did not happen within a minute\n${logs()}`)
    await pause(20)
  }
}

/** Starts a server; it answers when this returns. `args` are more settings of its command line. */
export async function startRedis(args: readonly string[] = []): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-redis-'))
  const port = await freePort()
  let child: ChildProcess | undefined
  let logs = ''

  const start = async (): Promise<void> => {
    const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    const running = spawn(redisBinary(), [...settings, '--dir', folder, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.stdout.on('data', (chunk: Buffer) => (logs += chunk.toString()))
    running.stderr.on('data', (chunk: Buffer) => (logs += chunk.toString()))
    child = running
    await eventually(
      'answering',
      () => logs,
      async () => {
        if (running.exitCode !== null) throw new Error(logs)
        return (await converse(port, 'PING')).startsWith('+PONG')
      },
    )
  }
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  await start()
  return {
    port,
    url: `redis://127.0.0.1:${String(port)}`,
    command: (line) => converse(port, line),
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    kill,
    start,
    async stop() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The slot at which each of three masters begins, and the end. */
export const slotShares = [0, 5461, 10923, 16384] as const

/** Starts three masters that share the slots evenly; the cluster is ready when this returns. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const masters: RedisServer[] = []
  const replicas: RedisServer[] = []
  const stop = async (): Promise<void> => {
    await Promise.all([...masters, ...replicas].map((server) => server.stop()))
  }
  try {
    for (let i = 0; i < 3; i++) {
      const master = await startClusterNode()
      masters.push(master)
      await master.command(`CLUSTER SET-CONFIG-EPOCH ${String(i + 1)}`)
      await master.command(
        `CLUSTER ADDSLOTSRANGE ${String(slotShares[i])} ${String((slotShares[i + 1] ?? 0) - 1)}`,
      )
      if (i > 0) await introduce(master, masters[0])
    }
    await eventually(
      'the cluster',
      () => '',
      async () => {
        const infos = await Promise.all(masters.map((master) => master.command('CLUSTER INFO')))
        return infos.every((info) => info.includes('cluster_state:ok') && info.includes('cluster_size:3'))
      },
    )
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url: `redis-cluster://${masters.map(({ port }) => `127.0.0.1:${String(port)}`).join(',')}`,
    masters,
    async addReplica(of) {
      const replica = await startClusterNode()
      replicas.push(replica)
      await introduce(replica, of)
      const id = /\n([0-9a-f]{40})/.exec(await of.command('CLUSTER MYID'))?.[1] ?? ''
      const nodes = String(masters.length + replicas.length)
      await eventually(
        'replication',
        () => '',
        async () =>
          // Refused until the nodes have heard of each other.
          (await replica.command(`CLUSTER REPLICATE ${id}`)).startsWith('+OK'),
      )
      await eventually(
        'the first copy',
        () => '',
        async () => {
          const known = await Promise.all(masters.map((master) => master.command('CLUSTER INFO')))
          return (
            (await replica.command('INFO replication')).includes('master_link_status:up') &&
            known.every((info) => info.includes(`cluster_known_nodes:${nodes}`))
          )
        },
      )
      return replica
    },
    stop,
  }
}

async function startClusterNode(): Promise<RedisServer> {
  const bus = String(await freePort())
  return startRedis(['--cluster-enabled', 'yes', '--cluster-port', bus, '--cluster-node-timeout', '2000'])
}

/** Makes two nodes, and whom they know, one cluster. */
async function introduce(node: RedisServer, to: RedisServer | undefined): Promise<void> {
  if (to === undefined) return
  const bus = /\$\d+\r\n(\d+)\r\n/.exec(await to.command('CONFIG GET cluster-port'))?.[1] ?? ''
  await node.command(`CLUSTER MEET 127.0.0.1 ${String(to.port)} ${bus}`)
}

/** Listens on a port of its own and passes everything on to `target`, answers as late as told. */
export async function startSlowProxy(target: number): Promise<SlowProxy> {
  const sockets = new Set<Socket>()
  let delayMs = 0
  let stalls = 0
  let roundTrips = 0
  const server = createServer((client) => {
    const upstream = createConnection({ host: '127.0.0.1', port: target })
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    const born = stalls
    let asking = false
    client.on('data', (chunk) => {
      if (!asking) roundTrips++
      asking = true
      if (born === stalls) upstream.write(chunk)
    })
    upstream.on('data', (chunk) => {
      asking = false
      if (born !== stalls) return
      if (delayMs === 0) client.write(chunk)
      else setTimeout(() => client.write(chunk), delayMs)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    delay(ms) {
      delayMs = ms
    },
    stall() {
      stalls++
    },
    roundTrips: () => roundTrips,
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
