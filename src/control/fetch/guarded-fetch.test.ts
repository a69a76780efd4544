// The guard for what Weir fetches (spec control-plane 3.7): which URLs and addresses it refuses and in which words, and that
// nothing but the addresses it checked is connected to. The servers are real; names lead where the test says.
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { refusedAs } from './addresses.ts'
import { type Fetched, type GuardSettings, createGuardedFetch } from './guarded-fetch.ts'

const settings: GuardSettings = { allowHttp: false, allowHosts: [], timeoutMs: 5000, maxBytes: 10_000 }

/** No name resolver is asked: every name leads to these addresses. */
const fetchWith = (more: Partial<GuardSettings>, ...addresses: readonly string[]) =>
  createGuardedFetch({ ...settings, ...more }, () => Promise.resolve(addresses))

const reasonOf = (fetched: Fetched): string => (fetched.ok ? 'fetched' : fetched.reason)

describe('addresses', () => {
  test.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['100.100.100.200', 'private'],
    ['198.19.255.255', 'private'],
    ['169.254.169.254', 'link-local'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'reserved'],
    ['192.0.0.192', 'reserved'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['0:0:0:0:0:0:0:1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::FFFF:7f00:1', 'loopback'],
    ['0:0:0:0:0:ffff:a9fe:a9fe', 'link-local'],
    ['::ffff:10.1.2.3', 'private'],
    ['::ffff:0.0.0.0', 'unspecified'],
    ['::127.0.0.1', 'reserved'],
    ['::ffff:0:127.0.0.1', 'reserved'],
    ['64:ff9b::127.0.0.1', 'loopback'],
    ['64:ff9b::a9fe:a9fe', 'link-local'],
    ['64:ff9b:1::1', 'private'],
    ['2002:7f00:1::', 'reserved'],
    ['2001:0:1::1', 'reserved'],
    ['fd00:ec2::254', 'private'],
    ['fc00::1', 'private'],
    ['fe80::1', 'link-local'],
    ['febf::1', 'link-local'],
    ['fec0::1', 'private'],
    ['ff02::1', 'multicast'],
    ['fe80::1%eth0', 'unreadable'],
    ['127.1', 'unreadable'],
    ['', 'unreadable'],
  ])('%s is %s', (address, kind) => {
    expect(refusedAs(address)).toBe(kind)
  })

  test.each([
    '1.1.1.1',
    '11.0.0.1',
    '100.128.0.1',
    '172.32.0.1',
    '192.0.2.1',
    '198.20.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '2606:4700:4700::1111',
    '2001:4860:4860::8888',
  ])('%s is one like any other', (address) => {
    expect(refusedAs(address)).toBeUndefined()
  })
})

describe('refusals name the rule and not the address', () => {
  const noPrivate = 'private addresses are not fetched from (setting fetch.allow_hosts)'
  const noLoopback = 'loopback addresses are not fetched from (setting fetch.allow_hosts)'
  const noPorts = 'only ports 80 and 443 are fetched from (setting fetch.allow_hosts)'

  test.each([
    ['plain http', 'http://lists.example/a', '192.0.2.1', 'only https is fetched (setting fetch.allow_http)'],
    ['a file', 'file:///etc/passwd', '192.0.2.1', 'only https is fetched, not file:'],
    ['a gopher', 'gopher://lists.example/', '192.0.2.1', 'only https is fetched, not gopher:'],
    ['no URL', 'lists.example', '192.0.2.1', 'this is no URL'],
    ['credentials', 'https://me:pw@lists.example/', '192.0.2.1', 'a URL must not contain credentials'],
    ['another port', 'https://lists.example:8443/', '192.0.2.1', noPorts],
    ['a name in a private network', 'https://lists.example/', '10.1.2.3', noPrivate],
    ['a mapped address behind a name', 'https://lists.example/', '::ffff:10.1.2.3', noPrivate],
    ['an address', 'https://127.0.0.1/', '', noLoopback],
    ['an address in one number', 'https://2130706433/', '', noLoopback],
    ['an address in octal', 'https://0177.0.0.1/', '', noLoopback],
    ['an address in hexadecimal', 'https://0x7f.1/', '', noLoopback],
    ['an address with full-width digits', 'https://１２７.0.0.1/', '', noLoopback],
    ['an IPv6 address', 'https://[::1]/', '', noLoopback],
    ['a mapped IPv6 address', 'https://[::ffff:127.0.0.1]/', '', noLoopback],
    ['localhost', 'https://localhost/', '127.0.0.1', noLoopback],
  ])('%s', async (_what, url, address, reason) => {
    expect(reasonOf(await fetchWith({}, address)(url))).toBe(reason)
  })

  test('a name that cannot be resolved', async () => {
    const nobody = createGuardedFetch(settings, () =>
      Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND secret'), { code: 'ENOTFOUND' })),
    )
    expect(reasonOf(await nobody('https://lists.example/'))).toBe('its name cannot be resolved (ENOTFOUND)')
  })

  test('a resolver that never answers', async () => {
    const fetch = createGuardedFetch({ ...settings, timeoutMs: 50 }, () => new Promise(() => undefined))
    expect(reasonOf(await fetch('https://lists.example/'))).toBe('it took too long')
  })
})

describe('fetching', () => {
  let server: Server
  let port = 0
  const seen: IncomingMessage[] = []
  const answers: Record<string, (response: ServerResponse) => void> = {
    '/list': (response) => response.end('the list'),
    '/large': (response) => response.end(Buffer.alloc(10_001)),
    '/endless': (response) => {
      const more = (): void =>
        void (response.write(Buffer.alloc(4000)) ? setImmediate(more) : response.once('drain', more))
      more()
    },
    '/packed': (response) => response.setHeader('content-encoding', 'gzip').end(gzipSync('the list')),
    '/bomb': (response) =>
      response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(1_000_000))),
    '/broken': (response) => response.setHeader('content-encoding', 'gzip').end('no gzip'),
    '/odd': (response) => response.setHeader('content-encoding', 'zip').end('x'),
    '/short': (response) => {
      response.writeHead(200, { 'content-length': '100' }).write('x')
      setImmediate(() => response.destroy())
    },
    '/silent': () => undefined,
    '/slow': (response) => void response.write('x'),
    '/missing': (response) => response.writeHead(404).end(),
    '/nowhere': (response) => response.writeHead(302).end(),
    '/away': (response) => response.writeHead(302, { location: 'http://inside.example/list' }).end(),
    '/metadata': (response) => response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end(),
    '/file': (response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
  }
  for (let n = 1; n <= 4; n++)
    answers[`/hop${String(n)}`] = (response) =>
      response.writeHead(301 + n, { location: n === 1 ? '/list' : `/hop${String(n - 1)}` }).end()
  answers['/hop3'] = (response) => response.writeHead(307, { location: '/hop2' }).end()
  answers['/hop4'] = (response) => response.writeHead(308, { location: '/hop3' }).end()

  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push(request)
      answers[request.url ?? '']?.(response)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  const signed = { signed: true }
  const url = (path: string, host = 'lists.example'): string => `http://${host}:${String(port)}${path}`

  test.each([
    ['by its name', ['lists.example'], 'lists.example'],
    ['by its name in capitals and with a dot', ['LISTS.Example.'], 'lists.example'],
    ['by the prefix that it leads to', ['127.0.0.0/8'], 'lists.example'],
    ['by the address that it leads to', ['127.0.0.1'], 'lists.example'],
    ['by the address that is asked for', ['127.0.0.1'], '127.0.0.1'],
  ])('a host is allowed %s', async (_how, allowHosts, host) => {
    const fetched = await fetchWith({ allowHosts }, '127.0.0.1')(url('/list', host), signed)
    expect(fetched).toEqual({ ok: true, bytes: Buffer.from('the list') })
  })

  test('another host is not allowed thereby', async () => {
    const before = seen.length
    for (const allowHosts of [['other.example'], ['example'], ['10.0.0.0/8'], ['::1']])
      expect(reasonOf(await fetchWith({ allowHosts }, '127.0.0.1')(url('/list'), signed))).toMatch(
        /^only ports/,
      )
    expect(seen).toHaveLength(before)
  })

  test('plain http for everything is a setting', async () => {
    const allowHosts = ['lists.example']
    expect(reasonOf(await fetchWith({ allowHosts }, '127.0.0.1')(url('/list')))).toMatch(/^only https/)
    const open = fetchWith({ allowHosts, allowHttp: true }, '127.0.0.1')
    expect(reasonOf(await open(url('/list')))).toBe('fetched')
  })

  test('a name is resolved once, and of its addresses only the permitted ones are tried', async () => {
    let asked = 0
    const fetch = createGuardedFetch({ ...settings, allowHosts: ['127.0.0.1'] }, () => {
      asked++
      return Promise.resolve(['10.255.255.1', '::ffff:127.0.0.1'])
    })
    expect(reasonOf(await fetch(url('/list'), signed))).toBe('fetched')
    expect(asked).toBe(1)
  })

  test.each([
    ['/packed', 'fetched'],
    ['/hop1', 'fetched'],
    ['/hop3', 'fetched'],
    ['/hop4', 'it leads on more than 3 times'],
    ['/missing', 'it was answered with status 404'],
    ['/nowhere', 'it was answered with status 302'],
    ['/large', 'it has more than 10000 bytes (setting fetch.max_bytes)'],
    ['/endless', 'it has more than 10000 bytes (setting fetch.max_bytes)'],
    ['/bomb', 'it has more than 10000 bytes (setting fetch.max_bytes)'],
    ['/broken', 'its content could not be read (Z_DATA_ERROR)'],
    ['/odd', 'its content-encoding is unknown'],
    ['/short', 'its content could not be read (ECONNRESET)'],
    ['/file', 'only https is fetched, not file:'],
    ['/metadata', 'link-local addresses are not fetched from (setting fetch.allow_hosts)'],
  ])('%s: %s', async (path, expected) => {
    const fetch = fetchWith({ allowHosts: ['lists.example'] }, '127.0.0.1')
    expect(reasonOf(await fetch(url(path), signed))).toBe(expected)
  })

  test('a redirect to a host that is not allowed is refused like that host itself', async () => {
    const fetch = createGuardedFetch({ ...settings, allowHosts: ['lists.example'] }, (host) =>
      Promise.resolve([host === 'lists.example' ? '127.0.0.1' : '10.0.0.7']),
    )
    expect(reasonOf(await fetch(url('/away'), signed))).toBe(
      'private addresses are not fetched from (setting fetch.allow_hosts)',
    )
  })

  test.each(['/silent', '/slow'])('%s takes too long', async (path) => {
    const fetch = fetchWith({ allowHosts: ['lists.example'], timeoutMs: 100 }, '127.0.0.1')
    expect(reasonOf(await fetch(url(path), signed))).toBe('it took too long')
  })

  test('nobody listens: the reason does not tell where', async () => {
    const spare = createServer().listen(0, '127.0.0.1')
    await once(spare, 'listening')
    const free = (spare.address() as AddressInfo).port
    await new Promise((resolve) => spare.close(resolve))
    const fetch = fetchWith({ allowHosts: ['lists.example'] }, '127.0.0.1')
    expect(reasonOf(await fetch(`http://lists.example:${String(free)}/`, signed))).toBe(
      'the connection failed (ECONNREFUSED)',
    )
  })

  test('nothing is told about Weir but its name, and no connection is kept', async () => {
    await fetchWith({ allowHosts: ['lists.example'] }, '127.0.0.1')(url('/list'), signed)
    const { headers } = seen.at(-1) ?? { headers: {} }
    expect(headers).toEqual({
      accept: '*/*',
      'accept-encoding': 'identity',
      connection: 'close',
      host: `lists.example:${String(port)}`,
      'user-agent': 'weir',
    })
  })
})
