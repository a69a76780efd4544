// Fuzz target of the request room: `node test/fuzz/parsers.ts --runs N --seed S [--only PARSER]`. Samples of every kind are
// mutated by bytes, by tokens and by repetition; what is found is an exception, an input slower than its time, or growth
// of memory. The same seed gives the same inputs. Exit 1 if anything was found.
import { setImmediate } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { addressIndex, addressOfHostPort, canonicalAddress, parseCidr } from '#platform'
import { type ReadSettings, type RequestInput, decodedVariants, readHead, readRequest } from '#request'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
})
const runs = Number(values.runs)

let state = BigInt(values.seed) * 0x9e3779b97f4a7c15n + 1n
/** A whole number from 0 to `below` - 1 (xorshift). */
function random(below: number): number {
  state ^= (state << 13n) & 0xffffffffffffffffn
  state ^= state >> 7n
  state ^= (state << 17n) & 0xffffffffffffffffn
  return Number(state % BigInt(below))
}
const pick = <T>(list: readonly T[], otherwise: T): T => list[random(list.length)] ?? otherwise

const settings: ReadSettings = {
  clientAddressHeaders: ['x-forwarded-for'],
  trusts: () => true,
  readBody: true,
  bodyLimit: 1 << 20,
  maxBodyDepth: 100,
  graphqlPath: '',
  refererAsUri: true,
}

type Sample = { readonly type: string; readonly body: string }

const part = (disposition: string, content: string): string =>
  `--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`

const samples: Readonly<Record<string, readonly Sample[]>> = {
  json: [
    {
      type: 'application/json',
      body: '{"a":[true,null,{"z":0.2}],"c":{"d":12,"e":"\\u00e9\\ud83d\\ude00"}}',
    },
    { type: 'application/json', body: '[[],{},"",-1.5e+10,{"":{"":[1,2,3]}}]' },
    { type: 'text/plain', body: '{"query":"query Q($f:Int=3){h(first:$f){n}}","variables":{"f":1}}' },
  ],
  xml: [
    {
      type: 'text/xml',
      body: '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "http://h/x"><!ENTITY % p "v">]><a>a<b foo="bar">x&e;x</b>z</a>',
    },
    {
      type: 'application/soap+xml',
      body: '<s:E xmlns:s="u"><s:B><![CDATA[ x ]]><!-- c --><m a="1" b=\'2\'/>&lt;&#65;</s:B></s:E>',
    },
  ],
  form: [{ type: 'application/x-www-form-urlencoded', body: 'a=1&b=2+3&c%5B%5D=%C3%A9&&d&=e&f=%zz' }],
  multipart: [
    {
      type: 'multipart/form-data; boundary=b',
      body: `${part('name="foo"', 'bar')}${part('name="up"; filename="../s.php"', 'text')}${part("name=x; filename*=UTF-8''%41", 'é')}--b--\r\n`,
    },
  ],
  graphql: [
    {
      type: 'application/graphql',
      body: '{ hero(id: "1", tags: ["a", "b"], o: {k: true}) { name ... on X @skip(if: $c) { y } ...F } } fragment F on X { z }',
    },
    {
      type: 'application/graphql',
      body: 'mutation M($a: String = "x", $b: [Int!]! = [1]) { a: set(v: """block "x" """) @d(x: 1) { ok } } # end',
    },
  ],
  other: [
    { type: 'text/plain', body: 'hello world' },
    { type: 'application/octet-stream', body: '\u0000\u0001\u0002' },
  ],
}

const tokens = [
  '{', '}', '[', ']', '(', ')', '<', '>', '</a>', '<a ', '/>', '"', "'", '"""', '\\', '\\u', '\\ud800', ',', ':', ';', '&', '=', '%', '%41', '%ff',
  '\r\n', '\n', '\n--b', '--b', '--b--', '<!--', '-->', '<![CDATA[', ']]>', '<!ENTITY x "', '<!DOCTYPE ', '<?', '?>', '&#', '&lt;', '#', '...', '@', '$', '!',
  'query{', 'query ', 'true', 'null', '-', '1e', '0', '\u0000', '\ufeff', '\ud83d', 'é', '../', '//', '?', ' ', '\t', 'QUJD', '==',
] // prettier-ignore

/** One change: bytes replaced, a token put in, a piece cut out or repeated (some of them very often). */
function mutate(bytes: Buffer): Buffer {
  const at = random(bytes.length + 1)
  const length = random(Math.min(40, bytes.length - at) + 1)
  const before = bytes.subarray(0, at)
  const after = bytes.subarray(at)
  switch (random(6)) {
    case 0:
      return Buffer.concat([before, Buffer.from([random(256)]), after.subarray(Math.min(1, after.length))])
    case 1:
      return Buffer.concat([before, Buffer.from(pick(tokens, '')), after])
    case 2:
      return Buffer.concat([before, after.subarray(length)])
    case 3:
      return Buffer.concat([before, after.subarray(0, length), after])
    case 4: {
      const piece =
        random(2) === 0 ? after.subarray(0, length) : Buffer.from(pick(tokens, '') + pick(tokens, ''))
      const times = random(50) === 0 ? Math.trunc(random(200_000) / (piece.length + 1)) : random(20)
      return Buffer.concat([before, ...Array.from({ length: times }, () => piece), after])
    }
    default:
      return Buffer.concat([after, before])
  }
}

function mutated(text: string): Buffer {
  let bytes: Buffer = Buffer.from(text)
  for (let changes = random(6); changes >= 0; changes--) bytes = mutate(bytes)
  return bytes
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

type Input = { readonly what: string; readonly bytes: Buffer; readonly run: () => void }

const kinds = Object.keys(samples)
const graphqlPaths = ['', '$.query', '$..[?(@.a =~ /x/)]', '$..*']

function bodyInput(kind: string): Input {
  const sample = pick(samples[kind] ?? [], { type: 'text/plain', body: '' })
  const plain = mutated(sample.body)
  const headers: [string, string | Uint8Array][] = [
    ['content-type', random(20) === 0 ? mutated(sample.type) : sample.type],
  ]
  let bytes: Buffer = plain
  if (plain.length < 20_000 && random(10) === 0) {
    const [name, encode] = pick(encodings, encodings[0] ?? ['', (same) => same])
    headers.push(['content-encoding', name])
    bytes = encode(plain)
    if (random(2) === 0) bytes = mutate(bytes)
  }
  const input: RequestInput = { ...base, headers, body: { bytes, partial: random(4) === 0 } }
  const own = { ...settings, graphqlPath: pick(graphqlPaths, '') }
  return { what: kind, bytes, run: () => void readRequest(readHead(input).head, own) }
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

function headInput(): Input {
  const name = pick(Object.keys(texts), 'target')
  const bytes = mutated(texts[name] ?? '')
  const text = bytes.toString('utf8')
  const input: RequestInput =
    name === 'authority' || name === 'target'
      ? { ...base, [name]: text }
      : { ...base, headers: [[name, bytes]], body: { bytes: Buffer.from('x=1'), partial: false } }
  return { what: name, bytes, run: () => void readRequest(readHead(input).head, settings) }
}

const allDecodings = { base64: true, dual: true, html: true, unicode: true }
const values64 = [
  'eHBfY21kc2hlbGw=',
  '%2541&lt;&#x41;\\u0041\\41 \\U0001F600',
  'JTc4cF9jbWRzaGVsbA==',
  '&#0000000000120;',
]

function decodingInput(): Input {
  const bytes = mutated(pick(values64, ''))
  const text = bytes.toString('utf8')
  const run = (): void => {
    const found = decodedVariants(text, allDecodings)
    if (found.length > 3 || found.includes(text)) throw new Error(`variants: ${String(found.length)}`)
  }
  return { what: 'decoding', bytes, run }
}

const index = addressIndex(['10.0.0.0/8', '2001:db8::/32', '0.0.0.0/0'])
const addresses = ['203.0.113.9', '2001:db8::1', '::ffff:1.2.3.4', '[2001:db8::1]:443', '10.0.0.0/8', '::/0']

function addressInput(): Input {
  const bytes = mutated(pick(addresses, ''))
  const text = bytes.toString('utf8')
  const run = (): void => {
    const canonical = canonicalAddress(text)
    if (canonical !== undefined && canonicalAddress(canonical) !== canonical)
      throw new Error(`two spellings of ${text}`)
    addressOfHostPort(text)
    parseCidr(text)
    index.match(text)
  }
  return { what: 'address', bytes, run }
}

const sources: Readonly<Record<string, () => Input>> = {
  ...Object.fromEntries(kinds.map((kind) => [kind, () => bodyInput(kind)])),
  head: headInput,
  decoding: decodingInput,
  address: addressInput,
}
const chosen =
  values.only === ''
    ? Object.values(sources)
    : [sources[values.only]].filter((source) => source !== undefined)
if (chosen.length === 0)
  throw new Error(`--only ${values.only}: not one of ${Object.keys(sources).join(', ')}`)

/** Milliseconds that an input of this many bytes may take. */
const allowed = (bytes: number): number => (bytes < 65_536 ? 50 : (bytes / 1024) * 0.3 + 30)

const findings = new Map<string, number>()
let slowest = { ms: 0, what: '', bytes: 0 }

function report(input: Input, problem: string): void {
  const key = `${input.what}: ${problem}`
  const times = findings.get(key) ?? 0
  findings.set(key, times + 1)
  if (times === 0) console.error(`${key}\n  ${input.bytes.subarray(0, 300).toString('base64')}`)
}

function timed(input: Input): number {
  const start = performance.now()
  input.run()
  return performance.now() - start
}

const begun = performance.now()
let heapAfterWarmUp = 0
for (let i = 0; i < runs; i++) {
  const input = pick(chosen, addressInput)()
  try {
    let ms = timed(input)
    // The machine may have been busy: only what is slow three times is slow.
    for (let again = 0; again < 2 && ms > allowed(input.bytes.length); again++)
      ms = Math.min(ms, timed(input))
    if (ms > slowest.ms) slowest = { ms, what: input.what, bytes: input.bytes.length }
    if (ms > allowed(input.bytes.length))
      report(input, `slow (${String(Math.round(ms))} ms for ${String(input.bytes.length)} bytes)`)
  } catch (error) {
    report(
      input,
      error instanceof Error ? (error.stack ?? error.message).split('\n', 3).join(' | ') : String(error),
    )
  }
  // zlib lets go of what it failed on in the next turn of the loop.
  if (i % 1000 === 0) await setImmediate()
  if (i === Math.trunc(runs / 4)) heapAfterWarmUp = heapUsed()
}

function heapUsed(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

const growth = (heapUsed() - heapAfterWarmUp) / 1e6
const seconds = (performance.now() - begun) / 1000
console.log(
  `${String(runs)} inputs in ${seconds.toFixed(1)} s, ${String(findings.size)} findings; slowest ${slowest.ms.toFixed(1)} ms (${slowest.what}, ${String(slowest.bytes)} bytes); heap ${growth >= 0 ? '+' : ''}${growth.toFixed(1)} MB since a quarter of the way`,
)
process.exitCode = findings.size > 0 ? 1 : 0
