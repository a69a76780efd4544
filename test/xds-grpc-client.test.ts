// The ADS server seen by a client that has nothing to do with Weir: @grpc/grpc-js-xds resolves a name, balances over
// two gRPC servers, follows a change, and refuses what it cannot use.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  Client,
  type ServiceError,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  credentials,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { register } from '@grpc/grpc-js-xds'
import { type Ads, type PublishResult, createAds, snapshotOf } from '#envoy'

const path = '/weir.test.Greeter/Greet'
const same = (bytes: Buffer): Buffer => bytes

type Running = { readonly port: number; stop(): void }

function listen(server: Server): Promise<Running> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(error)
      else resolve({ port, stop: () => server.forceShutdown() })
    })
  })
}

/** A gRPC server that answers with its name. */
function startGreeter(name: string): Promise<Running> {
  const server = new Server()
  const greet = {
    path,
    requestStream: false,
    responseStream: false,
    requestDeserialize: same,
    requestSerialize: same,
    responseDeserialize: same,
    responseSerialize: same,
  }
  server.addService(
    { greet },
    {
      greet(_: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) {
        answer(null, Buffer.from(name))
      },
    },
  )
  return listen(server)
}

const type = 'type.googleapis.com'
const fromAds = { ads: {}, resource_api_version: 'V3' }

/** What a gRPC client needs to find `xds:///greeter.example` on these ports. */
const snapshotWith = (ports: readonly number[], lbPolicy = 'ROUND_ROBIN') =>
  snapshotOf(({ name }) => {
    switch (name) {
      case 'listener':
        return [
          {
            name: 'greeter.example',
            api_listener: {
              api_listener: {
                '@type': `${type}/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
                rds: { route_config_name: 'greeter-routes', config_source: fromAds },
                http_filters: [
                  {
                    name: 'router',
                    typed_config: { '@type': `${type}/envoy.extensions.filters.http.router.v3.Router` },
                  },
                ],
              },
            },
          },
        ]
      case 'route':
        return [
          {
            name: 'greeter-routes',
            virtual_hosts: [
              {
                name: 'greeter',
                domains: ['greeter.example'],
                routes: [{ match: { prefix: '' }, route: { cluster: 'greeter' } }],
              },
            ],
          },
        ]
      case 'cluster':
        return [
          {
            name: 'greeter',
            type: 'EDS',
            eds_cluster_config: { eds_config: fromAds },
            lb_policy: lbPolicy,
          },
        ]
      case 'endpoint':
        return [
          {
            cluster_name: 'greeter',
            endpoints: [
              {
                locality: { region: 'here' },
                load_balancing_weight: 1,
                lb_endpoints: ports.map((port) => ({
                  endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } },
                  health_status: 'HEALTHY',
                })),
              },
            ],
          },
        ]
      default:
        return []
    }
  }, [])

describe('a gRPC client that configures itself over xDS', () => {
  let greeters: readonly Running[]
  let control: Running
  let ads: Ads
  let client: Client
  const portsOf = (...names: readonly ('a' | 'b' | 'c')[]): readonly number[] =>
    names.map((name) => greeters['abc'.indexOf(name)]?.port ?? 0)

  beforeAll(async () => {
    greeters = await Promise.all(['a', 'b', 'c'].map(startGreeter))
    const server = new Server()
    const quiet = { info: () => undefined, warn: () => undefined }
    ads = createAds({ log: quiet, timeoutMs: 5000, drainMs: 50 })
    ads.register(server)
    control = await listen(server)
    process.env['GRPC_XDS_BOOTSTRAP_CONFIG'] = JSON.stringify({
      xds_servers: [
        {
          server_uri: `127.0.0.1:${control.port}`,
          channel_creds: [{ type: 'insecure' }],
          server_features: ['xds_v3'],
        },
      ],
      node: { id: 'grpc-client-0', locality: { region: 'here' } },
    })
    register()
    // It cannot use this load balancing: what the client sees first is refused.
    await ads.publish(snapshotWith(portsOf('a', 'b'), 'MAGLEV'))
    client = new Client('xds:///greeter.example', credentials.createInsecure())
  })

  afterAll(() => {
    client.close()
    ads.stop()
    control.stop()
    for (const greeter of greeters) greeter.stop()
    delete process.env['GRPC_XDS_BOOTSTRAP_CONFIG']
  })

  const metadata = new Metadata({ waitForReady: true })
  const greet = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const answered = (error: ServiceError | null, answer?: Buffer): void =>
        error ? reject(error) : resolve((answer ?? Buffer.alloc(0)).toString())
      client.makeUnaryRequest(
        path,
        same,
        same,
        Buffer.alloc(0),
        metadata,
        { deadline: Date.now() + 60_000 },
        answered,
      )
    })

  async function greetMany(count: number): Promise<Readonly<Record<string, number>>> {
    const counts: Record<string, number> = {}
    for (let n = 0; n < count; n++) {
      const name = await greet()
      counts[name] = (counts[name] ?? 0) + 1
    }
    return counts
  }

  const nodes = () => ads.status().nodes
  const statusOf = (wanted: string) => nodes()[0]?.types.find(({ type: name }) => name === wanted)

  async function until(isTrue: () => boolean): Promise<void> {
    const deadline = Date.now() + 60_000
    while (!isTrue() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  test('refuses what it cannot use, and its status shows what and why', async () => {
    client.getChannel().getConnectivityState(true)
    await until(() => statusOf('cluster')?.nack !== undefined)
    expect(nodes()).toMatchObject([
      { id: 'grpc-client-0', region: 'here', protocol: 'sotw', unserved: undefined },
    ])
    expect(statusOf('listener')).toMatchObject({ acked: expect.any(String), nack: undefined })
    expect(statusOf('cluster')).toMatchObject({
      acked: undefined,
      nack: { resources: ['greeter'], message: expect.stringContaining('unsupported lb_policy: MAGLEV') },
    })
  })

  test('resolves and balances once it is given something better', async () => {
    expect(await ads.publish(snapshotWith(portsOf('a', 'b')))).toMatchObject({
      ok: true,
      nodes: [{ id: 'grpc-client-0', role: 'envoy', state: 'acked' }],
    })
    expect(statusOf('cluster')).toMatchObject({ acked: expect.any(String), nack: undefined })
    await greetMany(10)
    expect(await greetMany(100)).toEqual({ a: 50, b: 50 })
  })

  test('follows an endpoint change without a failed call', async () => {
    let publishing: Promise<PublishResult> | undefined
    const seen: string[] = []
    for (let n = 0; n < 300; n++) {
      if (n === 50) publishing = ads.publish(snapshotWith(portsOf('b', 'c')))
      seen.push(await greet())
    }
    expect((await publishing)?.nodes).toEqual([{ id: 'grpc-client-0', role: 'envoy', state: 'acked' }])
    expect([...new Set(seen.slice(0, 50))].toSorted()).toEqual(['a', 'b'])
    expect([...new Set(seen.slice(-50))].toSorted()).toEqual(['b', 'c'])
  })

  test('that refuses a change goes on with what it had, and the publish says so', async () => {
    const result = await ads.publish(snapshotWith(portsOf('a'), 'MAGLEV'))
    expect(result).toMatchObject({
      ok: false,
      nodes: [
        {
          id: 'grpc-client-0',
          state: 'nacked',
          type: 'cluster',
          resources: ['greeter'],
          message: expect.stringContaining('MAGLEV'),
        },
      ],
    })
    expect(Object.keys(await greetMany(40)).toSorted()).toEqual(['b', 'c'])
  })
})
