// What the servers are asked: mixes of HTTP/1.1 requests as they stand on the wire. Every mix has many requests with
// other values, so that nothing is measured that a cache of the last request could answer. All are made here, from a seed.
import { createRandom } from '../../test/fuzz/random.ts'
import { attackRequests } from '../../test/detection/attack-requests.ts'

export type Mix = {
  readonly name: string
  readonly requests: readonly Buffer[]
  /** Share of the requests that a WAAP should block, 0 to 1. */
  readonly attacks: number
  /** Less than usual, where some servers take seconds for a request. */
  readonly connections?: number
}

export const host = 'www.example.com'

const names = ['ada', 'grace', 'linus', 'barbara', 'edsger', 'margaret', 'ken', 'radia', 'dennis', 'frances']
const words =
  'please send the red lamp to the house behind the old mill and ring twice because nobody hears the first bell in winter when snow lies on the roof'.split(
    ' ',
  )

type Parts = {
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body?: string | Buffer
}

const seed = 20261121

/** Two thousand clients behind a proxy that all servers stand behind. */
const client = (n: number): string => `203.0.${String(n % 40)}.${String(1 + (Math.trunc(n / 40) % 50))}`

function wire({ method, target, headers, body = '' }: Parts): Buffer {
  const bytes = Buffer.from(body)
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${host}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(bytes.length > 0 || method === 'POST' ? [`Content-Length: ${String(bytes.length)}`] : []),
  ]
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes])
}

const browser = (n: number): readonly (readonly [string, string])[] => [
  [
    'User-Agent',
    `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${String(138 + (n % 6))}.0.0.0 Safari/537.36`,
  ],
  ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'],
  ['Accept-Language', 'en-GB,en;q=0.9,de;q=0.8'],
  ['Accept-Encoding', 'gzip, deflate, br, zstd'],
  ['Sec-Fetch-Mode', 'navigate'],
  ['Sec-Fetch-Site', 'same-origin'],
  ['Referer', 'https://www.example.com/products?category=lamps'],
  [
    'Cookie',
    `session=${createRandom(seed, n)
      .below(2 ** 31)
      .toString(16)
      .padStart(32, '7')}; theme=dark; _ga=GA1.2.${String(1_234_567_890 + n)}.1700000000`,
  ],
  ['X-Forwarded-For', client(n)],
]

const sentence = (n: number, length: number): string => {
  const random = createRandom(seed + 1, n)
  return Array.from({ length }, () => random.pick(words)).join(' ')
}

const get = (n: number): Parts => ({
  method: 'GET',
  target: `/products/lamp-${String(n)}?color=red&size=${String(n % 40)}&page=${String(n % 7)}`,
  headers: browser(n),
})

/** An order of `items` lines with four values each, and ten values around them. */
function order(n: number, items: number, words: number): string {
  return JSON.stringify({
    id: 100_000 + n,
    customer: names[n % names.length],
    email: `${String(names[n % names.length])}.${String(n)}@example.com`,
    express: n % 2 === 0,
    total: 19.95 * items,
    currency: 'EUR',
    address: { street: `Mill Lane ${String(n)}`, city: 'Bath', zip: `BA${String(n % 9)} 1AA`, country: 'GB' },
    lines: Array.from({ length: items }, (_, i) => ({
      sku: `LAMP-${String((n * 31 + i) % 9973)}`,
      quantity: 1 + (i % 4),
      price: 19.95,
      note: sentence(n * 7 + i, words),
    })),
  })
}

const json = (n: number, body: string): Parts => ({
  method: 'POST',
  target: '/api/orders',
  headers: [...browser(n), ['Content-Type', 'application/json']],
  body,
})

function form(n: number, bytes: number): Parts {
  const fields: string[] = []
  for (let i = 0, length = 0; length < bytes; i++) {
    const field = `field_${String(i)}=${encodeURIComponent(sentence(n * 100 + i, 12)).replaceAll('%20', '+')}`
    fields.push(field)
    length += field.length + 1
  }
  return {
    method: 'POST',
    target: '/contact',
    headers: [...browser(n), ['Content-Type', 'application/x-www-form-urlencoded']],
    body: fields.join('&'),
  }
}

const many = (count: number, make: (n: number) => Parts): readonly Buffer[] =>
  Array.from({ length: count }, (_, n) => wire(make(n)))

/** Attacks of the detection corpus, each category in turn. */
function attacks(count: number): readonly Buffer[] {
  const all = attackRequests()
  const random = createRandom(seed + 2)
  return Array.from({ length: count }, (_, n) => {
    const { method, path, headers, body } = random.pick(all)
    const own = Object.entries(headers)
      .filter(
        ([name, value]) => !/^(?:host|content-length|x-forwarded-for)$/i.test(name) && !/[\r\n]/.test(value),
      )
      .map(([name, value]) => [name, Buffer.from(value).toString('latin1')] as const)
    return wire({
      method,
      target: Buffer.from(path)
        .toString('latin1')
        .replaceAll(' ', '%20')
        .replace(/[^\x21-\x7e]/g, (c) => encodeURIComponent(c)),
      headers: [...own, ['X-Forwarded-For', client(n)]],
      ...(body === undefined ? {} : { body }),
    })
  })
}

function sprinkled(count: number): readonly Buffer[] {
  const bad = attacks(Math.trunc(count / 100))
  return many(count, get).map((request, n) =>
    n % 100 === 50 ? (bad[Math.trunc(n / 100)] ?? request) : request,
  )
}

/** Made when asked for: the large ones take a moment. */
export const mixes: Readonly<Record<string, () => Mix>> = {
  get: () => ({ name: 'browser GET', requests: many(2000, get), attacks: 0 }),
  json: () => ({
    name: '1.5 KB JSON POST, 66 values',
    requests: many(2000, (n) => json(n, order(n, 14, 2))),
    attacks: 0,
  }),
  form: () => ({ name: '20 KB form', requests: many(200, (n) => form(n, 20_000)), attacks: 0 }),
  'json-100k': () => ({
    name: '100 KB JSON',
    requests: many(40, (n) => json(n, order(n, 150, 110))),
    attacks: 0,
    connections: 2,
  }),
  attacks: () => ({ name: 'attacks', requests: attacks(1000), attacks: 1 }),
  'one-percent': () => ({ name: '1 % attacks', requests: sprinkled(2000), attacks: 0.01 }),
}
