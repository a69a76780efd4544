// Puts a payload into a request: every place that a client controls, and the encodings that applications undo.

export type CorpusRequest = {
  readonly name: string
  readonly label: 'attack' | 'benign'
  readonly category: string
  readonly ip: string
  readonly method: string
  readonly authority: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export const browser = {
  'user-agent':
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'accept-language': 'en-US,en;q=0.9,de;q=0.8',
  'accept-encoding': 'gzip, deflate, br',
  'sec-ch-ua': '"Chromium";v="126", "Not.A/Brand";v="24", "Google Chrome";v="126"',
} as const

export type Shape = Pick<CorpusRequest, 'method' | 'path' | 'headers'> & { readonly body?: string }

const encode = encodeURIComponent
const xmlText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')

const post = (contentType: string, body: string, path = '/submit'): Shape => ({
  method: 'POST',
  path,
  headers: { ...browser, 'content-type': contentType },
  body,
})

const get = (path: string, headers: Readonly<Record<string, string>> = browser): Shape => ({
  method: 'GET',
  path,
  headers,
})

/** Header and cookie values cannot hold line breaks or NUL; a client percent-encodes them. */
const headerSafe = (text: string): string => (/[\r\n\0;]|[^\x20-\x7e]/.test(text) ? encode(text) : text)

export const placements: Readonly<Record<string, (payload: string) => Shape>> = {
  query: (p) => get(`/search?q=${encode(p)}&page=1`),
  'query-plus': (p) => get(`/item?id=${encode(p).replaceAll('%20', '+')}`),
  form: (p) => post('application/x-www-form-urlencoded', `title=hello&comment=${encode(p)}`),
  json: (p) =>
    post(
      'application/json',
      JSON.stringify({ user: { name: 'ann', bio: p }, tags: ['a', 'b'] }),
      '/api/users',
    ),
  'json-list': (p) =>
    post('application/vnd.api+json', JSON.stringify([{ items: [1, 2, { note: p }] }]), '/api/items'),
  xml: (p) =>
    post(
      'application/xml',
      `<order><id>7</id><note>${xmlText(p).replaceAll('\0', '')}</note></order>`,
      '/api/orders',
    ),
  multipart: (p) =>
    post(
      'multipart/form-data; boundary=----b7',
      `------b7\r\nContent-Disposition: form-data; name="subject"\r\n\r\nhi\r\n------b7\r\nContent-Disposition: form-data; name="text"\r\n\r\n${p}\r\n------b7--\r\n`,
    ),
  cookie: (p) => get('/account', { ...browser, cookie: `theme=dark; pref=${encode(p)}` }),
  header: (p) => get('/page', { ...browser, 'x-client-data': headerSafe(p) }),
  referer: (p) => get('/page', { ...browser, referer: `https://www.example.com/?q=${encode(p)}` }),
  base64: (p) => get(`/open?data=${encode(utf8(p))}`),
  double: (p) => get(`/search?q=${encode(encode(p))}`),
  text: (p) => post('text/plain', p, '/hook'),
}

export const placementNames = Object.keys(placements)
