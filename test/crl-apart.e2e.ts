// Revocation lists where filters have their policy from the control plane: they come with it, and go on holding when the control
// plane is away (spec control-plane 1.1, 2.11).
import { writeFileSync } from 'node:fs'
import { type ClientHttp2Session, connect } from 'node:http2'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Apart, type FilterPart, type Part, startApart } from './support/apart.ts'
import { makeCa, makeList } from './support/crl.ts'
import { freePort } from './support/http.ts'
import { type ListServer, startListServer } from './support/list-server.ts'
import { type Pair, makePair } from './support/pki.ts'
import { editConfig, waitFor } from './support/weir.ts'

const ca = makeCa({ name: 'Clients CA', kind: 'rsa' })
const alice = makePair({ commonName: 'Alice', issuer: ca, serial: '0a11ce', keyOf: ca })
const bob = makePair({ commonName: 'Bob', issuer: ca, serial: '0b0b', keyOf: ca })
const listOf = (...revoked: readonly string[]): Buffer => makeList({ issuer: ca, revoked })

let lists: ListServer
let weir: Apart
let control: Part
let filter: FilterPart
let tlsPort: number

function configure(folder: string): void {
  const clients = { id: 'clients', side: 'clientCA', cert_body: ca.chain, crl: [lists.url('/list')] }
  writeFileSync(join(folder, 'certificates.json'), JSON.stringify([clients]))
  editConfig(folder, 'system-db', (entries) => {
    for (const { id, value } of entries as { id: string; value: Record<string, unknown> }[])
      if (id === 'feature-toggle') value['ssl-client-to-v5-client-ca-certificate'] = true
  })
  editConfig(folder, 'load-balancers', (entries) => {
    for (const entry of entries as { protocol: string; listener_port: number }[])
      if (entry.protocol === 'https') entry.listener_port = tlsPort
  })
  editConfig(folder, 'server-groups', (entries) => {
    entries.push({
      id: 'shop',
      name: 'shop',
      server_names: ['shop.example'],
      security_policy: '__default__',
      client_certificate: 'clients',
      client_certificate_mode: 'on',
      client_certificate_crl_active: true,
    })
  })
}

beforeAll(async () => {
  lists = await startListServer()
  lists.serve('/list', listOf('0b0b'))
  tlsPort = await freePort()
  weir = await startApart({
    WEIR_FETCH_ALLOW_HOSTS: '127.0.0.1',
    WEIR_CRL_INTERVAL: '1s',
    WEIR_ENVOY_FILTER_TIMEOUT: '10s',
  })
  configure(weir.config)
  control = await weir.startControl()
  filter = await weir.startFilter(0)
  await filter.logged('policy in force')
  await weir.startEnvoy()
})
afterAll(async () => {
  await weir.stop()
  await lists.down()
})

function open({ chain, key }: Pair): ClientHttp2Session {
  const session = connect('https://shop.example', {
    host: '127.0.0.1',
    port: tlsPort,
    servername: 'shop.example',
    rejectUnauthorized: false,
    cert: chain,
    key,
  })
  session.on('error', () => undefined)
  return session
}

const ask = (session: ClientHttp2Session): Promise<number> =>
  new Promise((resolve, reject) => {
    const stream = session.request({ ':path': '/', ':authority': 'shop.example' })
    stream.on('error', reject)
    stream.on('response', (headers) => resolve(Number(headers[':status'])))
    stream.resume()
  })

const untilStatus = (session: ClientHttp2Session, status: number): Promise<true> =>
  waitFor(`status ${String(status)}`, async () => ((await ask(session)) === status ? true : undefined), {
    hint: () => JSON.stringify([control.log().slice(-5), filter.log().slice(-5)]),
  })

async function statusOf(pair: Pair): Promise<number> {
  const session = open(pair)
  const status = await ask(session)
  session.destroy()
  return status
}

test('a filter gets the list with its policy', async () => {
  const session = open(alice)
  await untilStatus(session, 200)
  expect(await statusOf(bob)).toBe(496)
  session.destroy()
})

test('a new list acts on a connection that is open, and compiles nothing again', async () => {
  const session = open(alice)
  await untilStatus(session, 200)
  const before = await filter.revision()
  lists.serve('/list', listOf('0b0b', '0a11ce'))
  await untilStatus(session, 496)
  lists.serve('/list', listOf('0b0b'))
  await untilStatus(session, 200)
  expect(await filter.revision()).toBe(before)
  session.destroy()
})

test('without the control plane it holds, also for a filter that starts then', async () => {
  await control.end()
  await filter.logged('lost the control plane; what runs goes on')
  expect([await statusOf(alice), await statusOf(bob)]).toEqual([200, 496])
  await filter.end()
  filter = await weir.startFilter(0)
  await filter.logged('the kept policy is in force')
  const session = open(alice)
  await untilStatus(session, 200)
  expect(await statusOf(bob)).toBe(496)
  session.destroy()
})

test('switched off, it lets everybody in that the CA knows', async () => {
  control = await weir.startControl()
  const session = open(bob)
  await untilStatus(session, 496)
  editConfig(weir.config, 'server-groups', (entries) => {
    for (const entry of entries as { id: string; client_certificate_crl_active?: boolean }[])
      if (entry.id === 'shop') entry.client_certificate_crl_active = false
  })
  await waitFor('bob', async () => ((await statusOf(bob)) === 200 ? true : undefined))
  session.destroy()
})
