// Commands on the wire of one Redis node, through ioredis: how a connection is opened, how scripts are sent, how what is sent
// in one turn of the event loop becomes one write. Nothing is queued, nothing is repaired: a broken connection ends, and
// its link opens another.
import { Redis } from 'ioredis'
import type { RedisNode } from './redis-url.ts'
import type { Command } from './scripts.ts'

/** What a node answered to one command. */
export type Reply = number | Error

/** What a connection needs besides its node. */
export type Credentials = {
  readonly username: string | undefined
  readonly password: string | undefined
  readonly db: number
  readonly tls: boolean
}

/** Milliseconds after which silence means that a connection leads nowhere. */
export const hungMs = 1000

/** Opens a connection; it never reconnects by itself. */
export function dial(node: RedisNode, { username, password, db, tls }: Credentials): Redis {
  return new Redis({
    host: node.host,
    port: node.port,
    db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: { servername: node.host } } : {}),
    protocol: 2,
    connectionName: 'weir',
    disableClientInfo: true,
    connectTimeout: hungMs,
    // The probe is the check: it writes, which says more than INFO and needs no further permission.
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
  })
}

type SendOptions = { readonly by: 'sha' | 'source'; readonly asking: boolean }

async function sendOne(
  client: Redis,
  { script, keys, args }: Command,
  by: SendOptions['by'],
): Promise<unknown> {
  return by === 'sha'
    ? client.evalsha(script.sha, keys.length, ...keys, ...args)
    : client.eval(script.source, keys.length, ...keys, ...args)
}

async function sendMany(
  client: Redis,
  commands: readonly Command[],
  { by, asking }: SendOptions,
): Promise<unknown[]> {
  const pipeline = client.pipeline()
  for (const { script, keys, args } of commands) {
    if (asking) pipeline.asking()
    if (by === 'sha') pipeline.evalsha(script.sha, keys.length, ...keys, ...args)
    else pipeline.eval(script.source, keys.length, ...keys, ...args)
  }
  const replies = (await pipeline.exec()) ?? []
  const wanted = asking ? replies.filter((_, i) => i % 2 === 1) : replies
  return wanted.map(([error, value]) => error ?? value)
}

const asReply = (value: unknown): Reply =>
  typeof value === 'number' || value instanceof Error ? value : new Error('a reply that is no number')

async function transmit(
  client: Redis,
  commands: readonly Command[],
  options: SendOptions,
): Promise<readonly Reply[]> {
  try {
    const [only] = commands
    if (only !== undefined && commands.length === 1 && !options.asking)
      return [asReply(await sendOne(client, only, options.by))]
    return (await sendMany(client, commands, options)).map(asReply)
  } catch (error) {
    // One failure for all: whoever asked counts it and answers from local counters.
    const failure = error instanceof Error ? error : new Error(String(error))
    return commands.map(() => failure)
  }
}

const unknownScript = (reply: Reply): boolean =>
  reply instanceof Error && reply.message.startsWith('NOSCRIPT')

/** The node is well, but another one serves the key (MOVED, ASK). */
export const isRedirect = (reply: Reply | undefined): boolean =>
  reply instanceof Error && /^(MOVED|ASK) /.test(reply.message)

/** Sends by digest; what the node does not know (it was restarted) once more with the source. */
export async function converse(
  client: Redis,
  commands: readonly Command[],
  asking: boolean,
): Promise<readonly Reply[]> {
  const replies = await transmit(client, commands, { by: 'sha', asking })
  if (!replies.some(unknownScript)) return replies
  const missing = commands.filter((_, i) => unknownScript(replies[i] ?? 0))
  const second = (await transmit(client, missing, { by: 'source', asking })).values()
  return replies.map((reply) => (unknownScript(reply) ? (second.next().value ?? reply) : reply))
}

type Waiting = {
  readonly commands: readonly Command[]
  resolve(replies: readonly Reply[]): void
}

/**
 * Gathers what is sent in one turn of the event loop into one write: requests that arrived together leave together, which
 * costs Redis and this process a fraction of a write for each.
 */
export function batchedSend(
  send: (commands: readonly Command[]) => Promise<readonly Reply[]>,
): (commands: readonly Command[]) => Promise<readonly Reply[]> {
  let batch: Waiting[] = []
  const flush = async (): Promise<void> => {
    const sent = batch
    batch = []
    const replies = await send(sent.flatMap(({ commands }) => commands))
    let from = 0
    for (const { commands, resolve } of sent) resolve(replies.slice(from, (from += commands.length)))
  }
  return (commands) =>
    new Promise((resolve) => {
      if (batch.push({ commands, resolve }) === 1) process.nextTick(() => void flush())
    })
}
