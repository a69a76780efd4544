// A control plane for tests of xDS: the real ADS server, and beside it the smallest filter that Envoy takes for
// one. It lets everything pass and remembers what it was asked, so a test sees what the real filter would see.
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
} from '@grpc/grpc-js'
import type { Policy } from '#config'
import {
  type AccessLogEntry,
  type Ads,
  type Fleet,
  type ConnectionFailure,
  type PublishResult,
  type Temporary,
  type XdsSettings,
  createAccessLog,
  createAds,
  createSnapshotBuilder,
  lookup,
} from '#envoy'

export type CheckSeen = {
  /** Lines in order, names lower-case. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly context: Readonly<Record<string, string>>
  readonly bodyBytes: number
}

export type Control = {
  readonly ads: Ads
  readonly port: number
  readonly checks: readonly CheckSeen[]
  /** What Envoy's access log told, oldest first; it waits for up to a second. */
  readonly requests: readonly AccessLogEntry[]
  readonly failures: readonly ConnectionFailure[]
  readonly log: readonly { readonly level: string; readonly fields: object; readonly message: string }[]
  settings(more?: Partial<XdsSettings>): XdsSettings
  publish(policy: Policy, more?: Partial<XdsSettings>, temporary?: Temporary): Promise<PublishResult>
  stop(): void
}

type RawCheck = {
  readonly attributes?: {
    readonly request?: {
      readonly http?: {
        readonly header_map?: {
          readonly headers?: readonly { key: string; value?: string; raw_value?: Uint8Array }[]
        }
        readonly raw_body?: Uint8Array
      }
    }
    readonly context_extensions?: Readonly<Record<string, string>>
  }
}

function seen(bytes: Buffer): CheckSeen {
  const { attributes } = lookup('envoy.service.auth.v3.CheckRequest').decode(bytes) as RawCheck
  const http = attributes?.request?.http
  return {
    headers: (http?.header_map?.headers ?? []).map(
      ({ key, raw_value }) => [key, Buffer.from(raw_value ?? []).toString('latin1')] as const,
    ),
    context: attributes?.context_extensions ?? {},
    bodyBytes: http?.raw_body?.length ?? 0,
  }
}

const identity = (bytes: Buffer): Buffer => bytes
const method = (path: string): ServiceDefinition[string] => ({
  path,
  requestStream: false,
  responseStream: false,
  requestDeserialize: identity,
  requestSerialize: identity,
  responseDeserialize: identity,
  responseSerialize: identity,
})

/** `CheckResponse { status {} ok_response {} }` and `HealthCheckResponse { status: SERVING }`. */
const allowed = Buffer.from([0x0a, 0x00, 0x1a, 0x00])
const serving = Buffer.from([0x08, 0x01])

type Unary = ServerUnaryCall<Buffer, Buffer>

function addFilter(server: Server, checks: CheckSeen[]): void {
  server.addService(
    {
      check: method('/envoy.service.auth.v3.Authorization/Check'),
      health: method('/grpc.health.v1.Health/Check'),
    },
    {
      check(call: Unary, answer: sendUnaryData<Buffer>) {
        checks.push(seen(call.request))
        answer(null, allowed)
      },
      health(_: Unary, answer: sendUnaryData<Buffer>) {
        answer(null, serving)
      },
    },
  )
}

function listen(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
}

export type StandIn = { readonly port: number; readonly checks: readonly CheckSeen[]; kill(): void }

/** The stand-in filter alone, on a TCP port or a Unix socket. */
export async function startStandIn(address = '127.0.0.1:0'): Promise<StandIn> {
  const checks: CheckSeen[] = []
  const server = new Server()
  addFilter(server, checks)
  const port = await listen(server, address)
  return { port, checks, kill: () => server.forceShutdown() }
}

export async function startControl(
  options: { readonly timeoutMs?: number; readonly drainMs?: number; readonly fleet?: Fleet } = {},
): Promise<Control> {
  const checks: CheckSeen[] = []
  const log: { level: string; fields: object; message: string }[] = []
  const write = (level: string) => (fields: object, message: string) => {
    log.push({ level, fields, message })
  }
  const server = new Server()
  const ads = createAds({
    log: { info: write('info'), warn: write('warn') },
    timeoutMs: 10_000,
    drainMs: 200,
    ...options,
  })
  const requests: AccessLogEntry[] = []
  const failures: ConnectionFailure[] = []
  const accessLog = createAccessLog({
    onEntry: (entry) => requests.push(entry),
    onConnectionFailure: (failure) => failures.push(failure),
    onError: (error, lost) => write('error')({ error, lost }, 'an access log message could not be read'),
  })
  ads.register(server)
  accessLog.register(server)
  addFilter(server, checks)
  const port = await listen(server, '127.0.0.1:0')
  const build = createSnapshotBuilder()
  const settings = (more: Partial<XdsSettings> = {}): XdsSettings => ({
    listeners: [{ id: 'http', protocol: 'http', address: '127.0.0.1', port: 0, publicPort: 80 }],
    filters: [{ kind: 'tcp', address: '127.0.0.1', port }],
    controlCluster: 'weir_control',
    filterTimeoutMs: 1000,
    ...more,
  })
  return {
    ads,
    port,
    checks,
    requests,
    failures,
    log,
    settings,
    publish: (policy, more, temporary) => ads.publish(build(policy, settings(more), temporary)),
    stop() {
      ads.stop()
      server.forceShutdown()
    },
  }
}
