// What reading a request costs: `node bench/request.ts`. Prints the median of several rounds in microseconds; the parsers
// stand beside what they were chosen over.
import { addressIndex } from '#platform'
import { type ReadSettings, type RequestInput, decodedVariants, readHead, readRequest } from '#request'

const settings: ReadSettings = {
  clientAddressHeaders: ['x-forwarded-for'],
  trusts: () => false,
  readBody: true,
  bodyLimit: 1 << 20,
  maxBodyDepth: 100,
  graphqlPath: '',
  refererAsUri: false,
}

const browserHeaders = [
  ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
  ['accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
  ['accept-language', 'en-US,en;q=0.5'],
  ['accept-encoding', 'gzip, deflate, br, zstd'],
  ['referer', 'https://www.example.com/catalogue?page=2'],
  ['cookie', 'sid=5f2b7c1e9d; theme=dark; consent=analytics%3D1'],
  ['upgrade-insecure-requests', '1'],
  ['sec-fetch-dest', 'document'],
  ['sec-fetch-mode', 'navigate'],
  ['sec-fetch-site', 'same-origin'],
  ['x-forwarded-proto', 'https'],
  ['x-request-id', 'a3c1e1d0-6f0e-4c57-8d6c-0a4a2a7f1f10'],
] as const

const get: RequestInput = {
  method: 'GET',
  scheme: 'https',
  authority: 'www.example.com',
  target: '/catalogue/garden/chairs?q=folding+chair&sort=price&page=3',
  headers: browserHeaders,
  body: undefined,
  peer: '203.0.113.9',
  client: undefined,
  timestamp: 0,
  requestId: 'a3c1e1d0-6f0e-4c57-8d6c-0a4a2a7f1f10',
  human: undefined,
  hints: { group: undefined, entry: undefined },
  plugins: new Map(),
}

const post = (type: string, body: string): RequestInput => ({
  ...get,
  method: 'POST',
  headers: [...browserHeaders, ['content-type', type], ['content-length', String(Buffer.byteLength(body))]],
  body: { bytes: Buffer.from(body), partial: false },
})

const json = JSON.stringify({
  order: 4711,
  items: Array.from({ length: 13 }, (_, i) => ({
    sku: `GC-${String(1000 + i)}`,
    name:
      i % 3 === 0
        ? 'Chair “Select Comfort”, with footrest and cushion'
        : 'Folding garden chair, oak, oiled, set of two',
    price: 49.9 + i,
    gift: false,
    note: null,
  })),
})
const values = 1 + 13 * 5
const xml = `<order><id>4711</id>${'<item sku="GC-1000"><name>Folding garden chair, oak</name><price>49.90</price></item>'.repeat(16)}</order>`
const part = (name: string, value: string, file = ''): string =>
  `--XX\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${value}\r\n`
const multipart = `${part('title', 'My holidays')}${part('text', 'It was nice. '.repeat(40))}${part('photo', 'x'.repeat(20_000), '; filename="a.txt"')}--XX--\r\n`
const graphql = JSON.stringify({
  query:
    'query Search($q: String!, $n: Int = 10) { search(query: $q, first: $n) { edges { node { id name price { amount currency } } } pageInfo { hasNextPage endCursor } } }',
  variables: { q: 'chair', n: 20 },
})

function flatten(value: unknown, name: string, into: Map<string, string>): void {
  if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value))
      flatten(inner, name === '' ? key : `${name}_${key}`, into)
  } else into.set(name, String(value))
}

let sink = 0

/** Median microseconds of one call over rounds of `count` calls. */
function time(count: number, run: () => number): string {
  const rounds: number[] = []
  for (let round = 0; round < 15; round++) {
    const start = performance.now()
    for (let i = 0; i < count; i++) sink += run()
    rounds.push(((performance.now() - start) * 1000) / count)
  }
  return (rounds.toSorted((a, b) => a - b)[7] ?? 0).toFixed(2).padStart(9)
}

const read = (input: RequestInput) => (): number => {
  const { head } = readHead(input)
  return readRequest(head, settings).args.size
}

const addresses = Array.from(
  { length: 50_000 },
  (_, i) => `${String(1 + (i % 200))}.${String((i >> 8) & 255)}.${String(i & 255)}.0/24`,
)
const index = addressIndex(addresses)
const decoding = { base64: true, dual: true, html: false, unicode: false }

const rows: readonly (readonly [what: string, count: number, run: () => number])[] = [
  ['GET of a browser: 12 headers, 3 cookies, 3 arguments', 4000, read(get)],
  [
    `JSON POST of ${String(Buffer.byteLength(json))} bytes, ${String(values)} values`,
    1000,
    read(post('application/json', json)),
  ],
  [
    '  the same with JSON.parse and a walk, body alone',
    1000,
    () => {
      const into = new Map<string, string>()
      flatten(JSON.parse(json), '', into)
      return into.size
    },
  ],
  [`XML POST of ${String(xml.length)} bytes`, 300, read(post('text/xml', xml))],
  [
    `multipart POST of ${String(multipart.length)} bytes`,
    300,
    read(post('multipart/form-data; boundary=XX', multipart)),
  ],
  [`GraphQL in JSON of ${String(graphql.length)} bytes`, 1000, read(post('application/json', graphql))],
  [
    'form POST of 40 fields',
    1000,
    read(post('application/x-www-form-urlencoded', 'name=some+value%21&'.repeat(40))),
  ],
  [
    'decodedVariants of an ordinary value',
    20_000,
    () => decodedVariants('Folding garden chair, oak', decoding).length,
  ],
  ['decodedVariants of a word', 20_000, () => decodedVariants('chair4711', decoding).length],
  ['decodedVariants of base64', 20_000, () => decodedVariants('eHBfY21kc2hlbGw=', decoding).length],
  ['address among 50,000 prefixes', 20_000, () => index.match('203.0.113.9').length],
]

for (const [what, count, run] of rows) {
  time(count, run)
  console.log(`${time(count, run)} µs  ${what}`)
}
if (sink < 0) console.log(sink)
