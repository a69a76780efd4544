// The filter's end of the stream to the control plane: subscribes to its resources, answers each with ACK or NACK, and
// comes back after every break with growing, uneven pauses, saying what it runs, so that nothing is sent twice.
// Incremental protocol only: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#incremental-xds
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  Metadata,
  type StatusObject,
  credentials as plain,
} from '@grpc/grpc-js'
import { discoveryType } from '../weir-protos.ts'
import { filterKinds, largestPolicyBytes } from './filter-resources.ts'
import { typeUrlOf } from './resources.ts'

export type FilterResource = { readonly name: string; readonly version: string; readonly bytes: Uint8Array }

/** What is said of a resource that runs. */
export type Held = Pick<FilterResource, 'name' | 'version'>

export type FilterKindName = 'policy' | 'quarantine'

/** Puts a resource in force, or says why not; what ran before then goes on. */
export type Take = (resource: FilterResource) => string | undefined

export type PolicyStreamOptions = {
  /** `host:port` of the control plane. */
  readonly control: string
  /** Default: plain text. */
  readonly credentials?: ChannelCredentials | undefined
  /** What it wants to see as `authorization: Bearer …`. */
  readonly token: string | undefined
  readonly node: {
    readonly id: string
    readonly bucket: string
    readonly region: string
    /** Where Envoys reach this filter. */
    readonly grpcAddress: string
  }
  /** Versions in force, by kind; those from before a start included. */
  readonly running: () => Readonly<Record<FilterKindName, Held | undefined>>
  readonly take: Readonly<Record<FilterKindName, Take>>
  readonly onConnection: (isConnected: boolean) => void
  readonly log: {
    info(fields: object, message: string): void
    warn(fields: object, message: string): void
    debug(fields: object, message: string): void
  }
  /** Milliseconds between attempts; default: 100 ms to 15 s. */
  readonly pauses?: { readonly leastMs: number; readonly mostMs: number }
  /** From 0 to below 1. */
  readonly random?: () => number
}

export type PolicyStream = { stop(): void }

const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources'

/** Of a NACK; the control plane shows it to people. */
const longestReason = 4000

const kindOfType = new Map(filterKinds.map((kind) => [typeUrlOf(kind), kind.name as FilterKindName]))

type Stream = ClientDuplexStream<object, Response>

type Response = {
  readonly type_url: string
  readonly nonce: string
  readonly removed_resources: readonly string[]
  readonly resources: readonly {
    readonly name: string
    readonly version: string
    readonly resource?: { readonly value: Uint8Array } | null
  }[]
}

const encode = (request: object): Buffer => {
  const type = discoveryType('DeltaDiscoveryRequest')
  return Buffer.from(type.encode(type.fromObject(request)).finish())
}

function decode(bytes: Buffer): Response {
  const type = discoveryType('DeltaDiscoveryResponse')
  return type.toObject(type.decode(bytes), { defaults: true, arrays: true }) as Response
}

const text = (value: string): object => ({ stringValue: value })
const struct = (fields: object): object => ({ structValue: { fields } })

const nodeMessage = ({ id, bucket, region, grpcAddress }: PolicyStreamOptions['node']): object => ({
  id,
  cluster: 'weir',
  user_agent_name: 'weir-filter',
  locality: { region },
  metadata: {
    fields: {
      weir: struct({ role: text('filter'), bucket: text(bucket), grpc_address: text(grpcAddress) }),
    },
  },
})

/**
 * Nobody is there: at the start usually the control plane that starts as well. Everything else, such as a certificate that
 * is not trusted or a wrong token, does not go away by waiting.
 */
const isAbsence = (details: string): boolean =>
  /\b(ECONNREFUSED|ENOTFOUND|EAI_AGAIN)\b|name resolution failed/i.test(details)

/** Attempts in vain after which an absent control plane is worth a warning. */
const longAbsence = 5

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export function openPolicyStream(options: PolicyStreamOptions): PolicyStream {
  const { control, token, node, running, take, onConnection, log, random = Math.random } = options
  const { credentials = plain.createInsecure() } = options
  const { leastMs, mostMs } = options.pauses ?? { leastMs: 100, mostMs: 15_000 }
  let isStopped = false
  let isConnected = false
  let since = 0
  let failures = 0
  /** What was warned of since the last connection: once is enough. */
  const warned = new Set<'absence' | 'refusal'>()
  let retry: NodeJS.Timeout | undefined
  let hangUp: () => void = () => undefined

  function connection(state: boolean): void {
    if (state === isConnected) return
    isConnected = state
    since = Date.now()
    onConnection(state)
    if (state) log.info({ control }, 'connected to the control plane')
  }

  function subscribe(stream: Stream): void {
    const has = running()
    for (const [typeUrl, kind] of kindOfType) {
      const held = has[kind]
      stream.write({
        node: nodeMessage(node),
        type_url: typeUrl,
        resource_names_subscribe: ['*'],
        initial_resource_versions: held === undefined ? {} : { [held.name]: held.version },
      })
    }
  }

  /** Why something of the response is refused; undefined: all of it is in force. */
  function takeAll(
    kind: FilterKindName,
    { resources, removed_resources: removed }: Response,
  ): string | undefined {
    if (removed.length > 0)
      log.warn({ kind, bucket: node.bucket }, 'the control plane no longer offers what runs here; it goes on')
    for (const { name, version, resource } of resources) {
      if (name !== node.bucket) continue
      try {
        const refusal = take[kind]({ name, version, bytes: resource?.value ?? new Uint8Array() })
        if (refusal !== undefined) return refusal
      } catch (error) {
        return reasonOf(error)
      }
    }
    return undefined
  }

  function receive(stream: Stream, response: Response): void {
    failures = 0
    const { type_url, nonce } = response
    const kind = kindOfType.get(type_url)
    if (kind === undefined) return
    const refusal = takeAll(kind, response)
    stream.write({
      type_url,
      response_nonce: nonce,
      ...(refusal === undefined
        ? {}
        : { error_detail: { code: 3, message: refusal.slice(0, longestReason) } }),
    })
  }

  /** Whether this attempt in vain is the one to warn of. */
  function isNews(details: string): boolean {
    const kind = isAbsence(details) ? 'absence' : 'refusal'
    if (warned.has(kind) || (kind === 'absence' && failures < longAbsence)) return false
    warned.add(kind)
    return true
  }

  function ended(client: Client, { code, details }: StatusObject): void {
    client.close()
    const wasConnected = isConnected
    // One that was accepted and soon ended again is no reason to hurry.
    if (wasConnected && Date.now() - since > mostMs) failures = 0
    connection(false)
    if (isStopped) return
    const longest = Math.min(mostMs, leastMs * 2 ** Math.min(failures, 20))
    failures++
    const pauseMs = Math.round(longest * (0.5 + random() / 2))
    if (wasConnected) warned.clear()
    const level = wasConnected || isNews(details) ? 'warn' : 'debug'
    log[level](
      { control, code, reason: details, pauseMs },
      wasConnected
        ? 'lost the control plane; what runs goes on'
        : 'the control plane cannot be reached; trying again',
    )
    retry = setTimeout(connect, pauseMs)
  }

  function connect(): void {
    const client = new Client(control, credentials, {
      'grpc.max_receive_message_length': largestPolicyBytes + 64 * 1024,
      'grpc.keepalive_time_ms': 20_000,
      'grpc.keepalive_timeout_ms': 10_000,
      // Otherwise the pauses of an earlier client's connection would hold for this one.
      'grpc.use_local_subchannel_pool': 1,
    })
    const metadata = new Metadata()
    if (token !== undefined) metadata.set('authorization', `Bearer ${token}`)
    const stream: Stream = client.makeBidiStreamRequest(path, encode, decode, metadata)
    hangUp = () => stream.cancel()
    stream.on('metadata', () => connection(true))
    stream.on('data', (response: Response) => receive(stream, response))
    // Its reason comes with the status.
    stream.on('error', () => undefined)
    stream.on('status', (status: StatusObject) => ended(client, status))
    subscribe(stream)
  }

  connect()
  return {
    stop() {
      isStopped = true
      clearTimeout(retry)
      hangUp()
    },
  }
}
