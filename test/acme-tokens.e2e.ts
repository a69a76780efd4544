// Tokens of certificate orders on a real Envoy (spec control-plane 2.10): answered on every host while they are there, whatever
// else is wrong; every other challenge is the origin's.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { renderBootstrap } from '#envoy'
import { type Control, startControl } from './support/control.ts'
import { type Envoy, startEnvoy } from './support/envoy.ts'
import { freePort, send } from './support/http.ts'
import { type Origin, startOrigin } from './support/origin.ts'
import * as site from '../src/envoy/xds/sites.fixture.ts'

const token = 'q4-Token_1'
const authorization = `${token}.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI`
const pathOf = (name: string): string => `/.well-known/acme-challenge/${name}`

let origin: Origin
let control: Control
let envoy: Envoy
let port: number

const policy = () => {
  const backend = site.service({ hosts: [site.host({ host: '127.0.0.1', httpPorts: [origin.port] })] })
  const group = { policy: site.securityPolicy({ entries: [site.entry({ backend })] }) }
  return site.policy({
    serverGroups: [
      site.group(group),
      site.group({
        ...group,
        id: 'redirecting',
        serverNames: [{ kind: 'literal', host: 'redirect.example.com' }],
        httpRedirect: 301,
      }),
    ],
  })
}

beforeAll(async () => {
  ;[origin, control] = await Promise.all([startOrigin('app'), startControl()])
  await control.publish(policy())
  envoy = await startEnvoy({
    bootstrap: renderBootstrap({ ADMIN_PORT: 0, STATS_PORT: 0, CONTROL_PORT: control.port }),
    listeners: ['http'],
    args: ['--reject-unknown-dynamic-fields'],
  })
  port = await envoy.listenerPort('http')
})
afterAll(async () => {
  await envoy.stop()
  control.stop()
  await origin.stop()
})

const ask = (host: string, name = token) => send({ port, host, path: pathOf(name) })

describe('a token that Weir waits for', () => {
  beforeAll(async () => {
    const acme = [{ token, authorization }]
    const result = await control.publish(policy(), {}, { offload: [], acme })
    expect(result).toMatchObject({ ok: true })
  })

  test.each(['www.example.com', 'redirect.example.com', 'nobody.example.com'])(
    'is answered on %s, and the filter is not asked',
    async (host) => {
      const asked = control.checks.length
      const answer = await ask(host)
      expect([answer.status, answer.body]).toEqual([200, authorization])
      expect(control.checks).toHaveLength(asked)
    },
  )

  test('is no prefix: other challenges go to the origin, through the filter', async () => {
    const asked = control.checks.length
    for (const name of [`${token}x`, 'another', `${token}/`]) {
      const { status, body } = await ask('www.example.com', name)
      expect([status, body.includes(`"url":"${pathOf(name)}"`)]).toEqual([200, true])
    }
    expect(control.checks).toHaveLength(asked + 3)
  })

  test('is answered while the filter is away', async () => {
    const acme = [{ token, authorization }]
    const nobody = [{ kind: 'tcp', address: '127.0.0.1', port: await freePort() } as const]
    await control.publish(policy(), { filters: nobody }, { offload: [], acme })
    expect((await ask('www.example.com')).status).toBe(200)
    expect((await send({ port })).status).toBe(503)
  })

  test('is forgotten when the order is over', async () => {
    await control.publish(policy())
    const { status, body } = await ask('www.example.com')
    expect([status, body.includes('"origin":"app"')]).toEqual([200, true])
  })
})
