// The worked examples through a real Envoy: one Envoy and one filter for all of them; each request is judged under the
// documents of its own site. What an example gets to check is the decision that the filter made for that very request,
// and what the client and the origin received must agree with it, line by line.
import { once } from 'node:events'
import { isIPv6, connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { expect, test } from '@jest/globals'
import { buildPolicy } from '#config'
import { startFilterServer } from '#envoy'
import type { Decision } from '#pipeline'
import type { HeaderLine, RequestInput } from '#request'
import { type Documents, type Judge, type Request, base, inputOf, judgeUnder, requestOf } from './base.ts'
import { certificate } from './certificate.ts'
import { type Door, numberOf } from './door.ts'
import { type Scheme, examplesBootstrap, schemes } from './envoy-examples.ts'
import { startEnvoy } from './envoy.ts'
import { check } from './expect.ts'
import { type Answer, send } from './http.ts'
import { type Arrived, type Origin, startOrigin } from './origin.ts'
import { transport } from './transport.ts'

/** Peers that some example's template trusts; Envoy has them in a filter chain of their own. */
const trusting: Documents = {
  'proxy-templates': [
    { id: '__default__', name: 'default', trusted_nets: [{ source: 'ip', address: '10.0.0.0/8' }] },
  ],
}

type Running = {
  readonly origin: Origin
  readonly ports: Readonly<Record<Scheme, number>>
}

/** Who judges, and what it decided since the request went out. */
type Current = { readonly judge: Judge; readonly decisions: Promise<Decision>[] }

export type EnvoyDoor = Door & {
  readonly numbersThrough: ReadonlySet<number>
  /** Name and reason of the examples that were not sent. */
  readonly left: readonly (readonly [says: string, why: string])[]
  start(): Promise<void>
  stop(): Promise<void>
}

const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1))

/** A connection that seems to come from this address. */
async function connectFrom(ip: string, port: number, scheme: Scheme): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1')
  await once(socket, 'connect')
  const [family, to] = isIPv6(ip) ? ['TCP6', '2001:db8::80'] : ['TCP4', '192.0.2.80']
  socket.write(`PROXY ${family} ${ip} ${to} 40000 443\r\n`)
  if (scheme === 'http') return socket
  const secure = connectTls({ socket, ca: certificate, servername: 'www.example.com' })
  await once(secure, 'secureConnect')
  return secure
}

const latin1 = (text: string | Uint8Array): string => Buffer.from(text).toString('latin1')

/** One request on a connection of its own, header bytes as they are. */
async function sendInput(input: RequestInput, port: number): Promise<Answer> {
  const line = ([name, value]: HeaderLine): readonly [string, string] => [latin1(name), latin1(value)]
  return send({
    port,
    host: input.authority,
    method: input.method,
    path: input.target,
    headers: input.headers.map(line),
    ...(input.body === undefined ? {} : { body: input.body.bytes }),
    framing: 'chunked',
    socket: await connectFrom(input.peer, port, input.scheme),
  })
}

const valuesOf = ({ headers }: Arrived, name: string): readonly string[] =>
  headers.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value)

/** The client has the filter's answer, or the origin's, whose request has the headers that the decision sets. */
function expectAgreement(decision: Decision, answer: Answer, arrived: readonly Arrived[]): void {
  const { record, answer: decided, requestHeaders } = decision
  expect(answer.headers['x-request-id']).toBe(record.request_id)
  if (decided !== undefined) {
    expect({ status: answer.status, body: answer.body }).toEqual({
      status: decided.status,
      body: decided.body,
    })
    expect(answer.headers).toMatchObject(Object.fromEntries(decided.headers))
    expect(arrived).toEqual([])
    return
  }
  expect({ status: answer.status, server: answer.headers['server'], arrived: arrived.length }).toEqual({
    status: 200,
    server: 'origin',
    arrived: 1,
  })
  for (const [name, value] of requestHeaders)
    expect([name, ...arrived.flatMap((one) => valuesOf(one, name))]).toEqual([name, value])
}

export function envoyDoor(): EnvoyDoor {
  const numbersThrough = new Set<number>()
  const left: (readonly [string, string])[] = []
  const closers: (() => unknown)[] = []
  let running: Running | undefined
  let current: Current | undefined

  function decide(input: RequestInput): Promise<Decision> {
    if (current === undefined) throw new Error('a request that no example sent')
    const { judge, decisions } = current
    const decision = judge.decide({ ...input, timestamp: judge.clock.now() })
    decisions.push(decision)
    return decision
  }

  async function sendUnder(judge: Judge, request: Request): Promise<Decision> {
    if (running === undefined) throw new Error('Envoy does not run')
    if (request.human !== undefined || request.partial !== undefined)
      throw new Error('a client cannot say through Envoy that it is human, or that its body is partial')
    const { origin, ports } = running
    const before = origin.arrived.length
    const decisions: Promise<Decision>[] = []
    current = { judge, decisions }
    const input = inputOf(request, judge.clock.now())
    const answer = await sendInput(input, ports[input.scheme])
    current = undefined
    const [decision, ...others] = await Promise.all(decisions)
    if (decision === undefined)
      throw new Error(`Envoy answered by itself: ${String(answer.status)} ${answer.body}`)
    expect(others).toEqual([])
    expectAgreement(decision, answer, origin.arrived.slice(before))
    return decision
  }

  return {
    numbersThrough,
    left,
    site(changes, options) {
      const judge = judgeUnder(changes, options)
      return {
        warnings: judge.warnings,
        send(request) {
          const wanted = requestOf(request)
          judge.clock.advance((wanted.after ?? 0) * 1000)
          return sendUnder(judge, wanted)
        },
      }
    },
    check(decision, { eventBehindEnvoy, ...expected }) {
      const { event } = expected
      check(
        decision,
        event === undefined ? expected : { ...expected, event: { ...event, ...eventBehindEnvoy } },
      )
    },
    example(says, run, onlyInProcess) {
      if (onlyInProcess !== undefined) {
        left.push([says, onlyInProcess])
        return
      }
      test(says, async () => {
        await run()
        const number = numberOf(says)
        if (number !== undefined) numbersThrough.add(number)
      })
    },
    pending: () => undefined,
    async start() {
      const built = buildPolicy({ ...base, ...trusting }, {})
      if (!built.ok) throw new Error('the base of the examples is refused')
      const origin = await startOrigin('origin')
      closers.push(() => origin.stop())
      const filter = await startFilterServer({
        listen: '127.0.0.1:0',
        transport,
        decide,
        failed(_input, error) {
          throw error
        },
        log: { warn: () => undefined, error: () => undefined },
      })
      closers.push(() => filter.stop())
      const bootstrap = examplesBootstrap({
        filterPort: portOf(filter.address),
        originPort: origin.port,
        template: built.policy.defaultTemplate,
      })
      const envoy = await startEnvoy({ bootstrap, listeners: schemes })
      closers.push(() => envoy.stop())
      const ports = { http: await envoy.listenerPort('http'), https: await envoy.listenerPort('https') }
      running = { origin, ports }
    },
    async stop() {
      for (const close of closers.toReversed()) await close()
    },
  }
}
