// Inputs of the request room's parsers: samples of each kind of body, header lines, addresses and disguised values,
// changed by bytes. Each input is read, and nothing but an exception counts as a finding.
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { addressIndex, addressOfHostPort, canonicalAddress, parseCidr } from '#platform'
import { type ReadSettings, type RequestInput, decodedVariants, readHead, readRequest } from '#request'
import type { Input, Target } from './harness.ts'
import { mutate, mutated } from './mutate.ts'
import type { Random } from './random.ts'
import { bodySamples } from './samples.ts'
import { timed } from './stopwatch.ts'

const settings: ReadSettings = {
  clientAddressHeaders: ['x-forwarded-for'],
  trusts: () => true,
  readBody: true,
  bodyLimit: 1 << 20,
  maxBodyDepth: 100,
  graphqlPath: '',
  refererAsUri: true,
}

const encodings: readonly (readonly [name: string, encode: (bytes: Buffer) => Buffer])[] = [
  ['gzip', (bytes) => gzipSync(bytes)],
  ['deflate', (bytes) => deflateSync(bytes)],
  ['br', (bytes) => brotliCompressSync(bytes)],
]

const base: RequestInput = {
  method: 'POST',
  scheme: 'https',
  authority: 'www.example.com',
  target: '/a/%2e%2e/b?x=1&y=%41',
  headers: [],
  body: undefined,
  peer: '10.0.0.1',
  client: undefined,
  timestamp: 0,
  requestId: '',
  human: undefined,
  hints: { group: undefined, entry: undefined },
  plugins: new Map(),
}

const graphqlPaths = ['', '$.query', '$..[?(@.a =~ /x/)]', '$..*']

/** An input that is timed as a whole. */
function input(what: string, size: number, bytes: Buffer, run: () => void): Input {
  return {
    what,
    size,
    saved: () => ({ base64: bytes.toString('base64') }),
    run: () => timed(run),
  }
}

function bodyInput(kind: string, random: Random): Input {
  const sample = random.pick(bodySamples[kind] ?? [])
  const plain = mutated(random, sample.body)
  const headers: [string, string | Uint8Array][] = [
    ['content-type', random.oneIn(20) ? mutated(random, sample.type) : sample.type],
  ]
  let bytes: Buffer = plain
  if (plain.length < 20_000 && random.oneIn(10)) {
    const [name, encode] = random.pick(encodings)
    headers.push(['content-encoding', name])
    bytes = encode(plain)
    if (random.oneIn(2)) bytes = mutate(random, bytes)
  }
  const request: RequestInput = { ...base, headers, body: { bytes, partial: random.oneIn(4) } }
  const own = { ...settings, graphqlPath: random.pick(graphqlPaths) }
  return input(kind, Math.max(plain.length, bytes.length), bytes, () => {
    readRequest(readHead(request).head, own)
  })
}

const texts: Readonly<Record<string, string>> = {
  authority: 'user@[2001:db8::1]:443',
  target: '/a/../b//c%2f%2e/?a=1&b[]=%C3%A9+x&&=#f',
  cookie: 'a=1; b = "2"; c; =d;; a=3',
  'x-forwarded-for': '1.2.3.4, [2001:db8::1]:80, ::ffff:1.2.3.4, unknown, 10.0.0.1:x',
  'content-type': 'multipart/form-data; boundary="a\\"b;c"; charset=utf-16le, text/xml',
  referer: 'https://a.example/x/../y?q=1&r=%41#f',
  'content-encoding': 'gzip, identity, br',
}

function headInput(random: Random): Input {
  const name = random.pick(Object.keys(texts))
  const bytes = mutated(random, texts[name] ?? '')
  const request: RequestInput =
    name === 'authority' || name === 'target'
      ? { ...base, [name]: bytes.toString('utf8') }
      : { ...base, headers: [[name, bytes]], body: { bytes: Buffer.from('x=1'), partial: false } }
  return input(name, bytes.length, bytes, () => {
    readRequest(readHead(request).head, settings)
  })
}

const allDecodings = { base64: true, dual: true, html: true, unicode: true }
const disguised = [
  'eHBfY21kc2hlbGw=',
  '%2541&lt;&#x41;\\u0041\\41 \\U0001F600',
  'JTc4cF9jbWRzaGVsbA==',
  '&#0000000000120;',
]

function decodingInput(random: Random): Input {
  const bytes = mutated(random, random.pick(disguised))
  const text = bytes.toString('utf8')
  return input('decoding', bytes.length, bytes, () => {
    const found = decodedVariants(text, allDecodings)
    if (found.length > 3 || found.includes(text)) throw new Error(`variants: ${String(found.length)}`)
  })
}

const index = addressIndex(['10.0.0.0/8', '2001:db8::/32', '0.0.0.0/0'])
const addresses = ['203.0.113.9', '2001:db8::1', '::ffff:1.2.3.4', '[2001:db8::1]:443', '10.0.0.0/8', '::/0']

function addressInput(random: Random): Input {
  const bytes = mutated(random, random.pick(addresses))
  const text = bytes.toString('utf8')
  return input('address', bytes.length, bytes, () => {
    const canonical = canonicalAddress(text)
    if (canonical !== undefined && canonicalAddress(canonical) !== canonical)
      throw new Error(`two spellings of ${text}`)
    addressOfHostPort(text)
    parseCidr(text)
    index.match(text)
  })
}

const sources: Readonly<Record<string, (random: Random) => Input>> = {
  ...Object.fromEntries(
    Object.keys(bodySamples).map((kind) => [kind, (random: Random) => bodyInput(kind, random)]),
  ),
  head: headInput,
  decoding: decodingInput,
  address: addressInput,
}

export const parserTarget: Target = {
  name: 'parsers',
  kinds: Object.keys(sources),
  input(kind, random) {
    const source = sources[kind]
    if (source === undefined) throw new Error(`no kind of input is called ${kind}`)
    return source(random)
  },
}
