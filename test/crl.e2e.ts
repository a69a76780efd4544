// Revocation of client certificates in the whole of Weir (spec control-plane 1.1, E36, E38): lists come from a real server, the
// control plane keeps them, and what a client is told follows the list, on connections that are open as well.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { type ClientHttp2Session, connect } from 'node:http2'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { makeCa, makeList } from './support/crl.ts'
import { send } from './support/http.ts'
import { type ListServer, startListServer } from './support/list-server.ts'
import { type Pair, makePair } from './support/pki.ts'
import { type TestWeir, editConfig, startWeir, waitFor } from './support/weir.ts'

const root = makeCa({ name: 'Root CA', kind: 'rsa' })
const branch = makeCa({ name: 'Branch CA', kind: 'rsa', issuer: root })
const foreign = makeCa({ name: 'Foreign CA', kind: 'rsa' })

const client = (name: string, serial: string, issuer: Pair = root): Pair =>
  makePair({ commonName: name, issuer, serial, keyOf: root })
const alice = client('Alice', '0a11ce')
const bob = client('Bob', '0b0b')
const carol = client('Carol', '0ca401', branch)
const mallory = client('Mallory', '0a11ce', foreign)

const unverified = { status: 495, reason: 'General: Client certificate could not be verified.' }
const missing = { status: 496, reason: 'General: Client certificate required.' }
const revoked = { status: 496, reason: 'General: Client certificate revoked.' }
const good = { status: 200, reason: null }

describe('revocation lists', () => {
  let lists: ListServer
  let weir: TestWeir

  const group = (fields: object): void =>
    editConfig(weir.config, 'server-groups', (entries) => {
      for (const entry of entries as { id: string }[]) if (entry.id === 'shop') Object.assign(entry, fields)
    })

  function configure(folder: string): void {
    const clients = {
      id: 'clients',
      side: 'clientCA',
      cert_body: root.chain + branch.chain,
      crl: [lists.url('/branch')],
    }
    writeFileSync(join(folder, 'certificates.json'), JSON.stringify([clients]))
    editConfig(folder, 'system-db', (entries) => {
      for (const { id, value } of entries as { id: string; value: Record<string, unknown> }[])
        if (id === 'feature-toggle') value['ssl-client-to-v5-client-ca-certificate'] = true
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
        client_certificate_crl: [lists.url('/root')],
      })
    })
  }

  beforeAll(async () => {
    lists = await startListServer()
    weir = await startWeir({
      configure,
      // A busy machine is not what this is about.
      env: {
        WEIR_FETCH_ALLOW_HOSTS: '127.0.0.1',
        WEIR_CRL_INTERVAL: '1s',
        WEIR_ENVOY_FILTER_TIMEOUT: '10s',
      },
    })
  })
  afterAll(async () => {
    await weir.stop()
    await lists.down()
  })

  const open = (pair?: Pair): ClientHttp2Session => {
    const session = connect('https://shop.example', {
      host: '127.0.0.1',
      port: weir.ports.listenTls,
      servername: 'shop.example',
      rejectUnauthorized: false,
      ...(pair === undefined ? {} : { cert: pair.chain, key: pair.key }),
    })
    session.on('error', () => undefined)
    return session
  }
  type Told = { readonly status: number; readonly id: string }
  const ask = (session: ClientHttp2Session): Promise<Told> =>
    new Promise((resolve, reject) => {
      const stream = session.request({ ':path': '/', ':authority': 'shop.example' })
      stream.on('error', reject)
      stream.on('response', (headers) =>
        resolve({ status: Number(headers[':status']), id: String(headers['x-request-id']) }),
      )
      stream.resume()
    })
  async function told(pair?: Pair): Promise<typeof good | typeof revoked> {
    const session = open(pair)
    const { status, id } = await ask(session)
    session.destroy()
    const { reason } = await weir.event(id)
    return { status, reason }
  }
  const untilStatus = (session: ClientHttp2Session, status: number): Promise<true> =>
    waitFor(`status ${String(status)}`, async () =>
      (await ask(session)).status === status ? true : undefined,
    )

  async function metric(name: string): Promise<number> {
    const { body } = await send({ port: weir.ports.controlMetrics, path: '/metrics' })
    const line = body.split('\n').find((one) => one.startsWith(`${name}{`)) ?? ''
    return Number(line.split(' ').at(-1))
  }
  const listOf = (issuer: Pair, ...serials: readonly string[]): Buffer =>
    makeList({ issuer, revoked: serials })

  test('until the first list is there nobody is believed, and a warning says so', async () => {
    expect(await told(alice)).toEqual(unverified)
    const { ca, group: site } = await weir.logged(({ msg = '' }) =>
      msg.startsWith('no revocation list of this CA'),
    )
    expect({ ca, site }).toEqual({ ca: 'CN=Root CA', site: 'shop' })
    lists.serve('/root', listOf(root, '0b0b'))
    lists.serve('/branch', listOf(branch))
    const session = open(alice)
    await untilStatus(session, 200)
    session.destroy()
  })

  test.each([
    ['one that is not on the list', alice, good],
    ['one that is', bob, revoked],
    ['one of another CA of the bundle', carol, good],
    ['one of a foreign CA', mallory, unverified],
    ['none', undefined, missing],
  ])('%s', async (_what, pair, expected) => {
    expect(await told(pair)).toEqual(expected)
  })

  test('a new list acts on a connection that is open, and so does one that takes it back', async () => {
    const session = open(alice)
    await untilStatus(session, 200)
    lists.serve('/root', listOf(root, '0b0b', '0a11ce'))
    await untilStatus(session, 496)
    lists.serve('/root', listOf(root, '0b0b'))
    await untilStatus(session, 200)
    session.destroy()
  })

  test('a forged list changes nothing and counts', async () => {
    const before = await metric('weir_crl_fetch_failures_total')
    lists.serve('/root', makeList({ issuer: root, signedBy: foreign }))
    await waitFor('a failure', async () =>
      (await metric('weir_crl_fetch_failures_total')) > before ? true : undefined,
    )
    expect(await told(bob)).toEqual(revoked)
    lists.serve('/root', listOf(root, '0b0b'))
  })

  test('while the server is down the last lists hold, also for processes that start then (E38)', async () => {
    await lists.down()
    const before = await metric('weir_crl_fetch_failures_total')
    await waitFor('a failure', async () =>
      (await metric('weir_crl_fetch_failures_total')) > before ? true : undefined,
    )
    await weir.logged(({ msg = '' }) => msg.includes('the last good one stays in force'))
    const file = join(dirname(weir.config), 'revocations.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    for (const name of ['control', 'filter-1']) {
      const pid = weir.pidOf(name)
      const lines = weir.log().length
      process.kill(pid, 'SIGKILL')
      await weir.logged(({ child, msg }) => child === name && msg === `${name} serves again`, lines)
    }
    await waitFor('an answer of the filter', async () =>
      (await told(alice)).status === 200 ? true : undefined,
    )
    expect(await told(bob)).toEqual(revoked)
    expect(await metric('weir_crl_lists')).toBe(2)
    await lists.up()
  })

  test('a CA that a list revokes is no longer believed, by the filter at once and by Envoy', async () => {
    const bundleOf = async (): Promise<number> => {
      const path = '/config_dump?resource=dynamic_active_secrets'
      const { body } = await send({ port: weir.ports.admin, path })
      const { configs } = JSON.parse(body) as {
        configs: {
          name: string
          secret: { validation_context?: { trusted_ca: { inline_string?: string; inline_bytes?: string } } }
        }[]
      }
      const secret = configs.find(({ name }) => name === 'clientca|clients|listed')?.secret.validation_context
      const { inline_string: text, inline_bytes: bytes = '' } = secret?.trusted_ca ?? {}
      return (text ?? Buffer.from(bytes, 'base64').toString()).split('BEGIN CERTIFICATE').length - 1
    }
    const session = open(carol)
    await untilStatus(session, 200)
    expect(await bundleOf()).toBe(2)
    lists.serve('/root', listOf(root, '0b0b', branch.serial))
    await untilStatus(session, 495)
    session.destroy()
    expect(await told(carol)).toEqual(unverified)
    expect(await told(alice)).toEqual(good)
    await waitFor('a smaller bundle', async () => ((await bundleOf()) === 1 ? true : undefined))
    lists.serve('/root', listOf(root, '0b0b'))
    await waitFor('the whole bundle', async () => ((await bundleOf()) === 2 ? true : undefined))
  })

  test('a URL that is added is fetched at once', async () => {
    lists.serve('/more', listOf(root, '0a11ce'))
    const session = open(alice)
    await untilStatus(session, 200)
    group({ client_certificate_crl: [lists.url('/root'), lists.url('/more')] })
    await untilStatus(session, 496)
    group({ client_certificate_crl: [lists.url('/root')] })
    await untilStatus(session, 200)
    session.destroy()
  })

  test('switched off, it lets everybody in that the CA knows', async () => {
    await waitFor('bob', async () => ((await told(bob)).status === 496 ? true : undefined))
    group({ client_certificate_crl_active: false })
    await waitFor('bob', async () => ((await told(bob)).status === 200 ? true : undefined))
    expect(await told(bob)).toEqual(good)
    expect(await told(mallory)).toEqual(unverified)
    const file = join(dirname(weir.config), 'revocations.json')
    await waitFor('no list', () =>
      existsSync(file) && readFileSync(file, 'utf8') === '{"format":1,"lists":[]}\n' ? true : undefined,
    )
  })
})
