// Requests for the pipeline: real ones of the labelled corpus and hand-made bodies, changed by their structure (target,
// headers, body) and by their bytes. Sizes are small as a rule, up to 1 MB now and then.
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { corpus } from '../detection/corpus.ts'
import type { CorpusRequest } from '../detection/placements.ts'
import type { Draft, HeaderBytes } from './draft.ts'
import { loaded, mutate, mutated, tokens } from './mutate.ts'
import type { Random } from './random.ts'
import { bodySamples } from './samples.ts'

const seeds: readonly CorpusRequest[] = corpus()
/** Where a payload of the corpus stands alone: in the query of a GET. */
const texts = seeds.flatMap(({ path }) => {
  const value = /[?&]\w+=([^&]+)/.exec(path)?.[1]
  return value === undefined ? [] : [value]
})

const headersOf = (headers: CorpusRequest['headers']): HeaderBytes[] =>
  Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)])

export function seedDraft(random: Random): Draft {
  const seed = random.pick(seeds)
  const body = seed.body === undefined ? undefined : Buffer.from(seed.body)
  return {
    method: seed.method,
    scheme: random.oneIn(4) ? 'http' : 'https',
    authority: '',
    target: Buffer.from(seed.path),
    headers: headersOf(seed.headers),
    body,
    partial: false,
    peer: '10.0.0.1',
    client: `203.0.113.${String(random.below(256))}`,
    human: random.oneIn(5) ? random.pick(['passive', 'active', 'interactive', 'mobile']) : undefined,
    plugins: random.oneIn(8)
      ? { 'jwt.sub': `u${String(random.below(50))}`, 'jwt.secret': 'x'.repeat(random.below(40)) }
      : {},
    after: random.below(3),
    plainSize: body?.length ?? 0,
  }
}

const replaceHeader = (draft: Draft, name: string, value: string | Buffer): void => {
  draft.headers = [...draft.headers.filter(([one]) => one !== name), [name, Buffer.from(value)]]
}

const setBody = (draft: Draft, type: string | undefined, body: Buffer): void => {
  draft.method = draft.method === 'GET' ? 'POST' : draft.method
  draft.body = body
  draft.plainSize = body.length
  if (type !== undefined) replaceHeader(draft, 'content-type', type)
}

/** Names that the policies say something about, and some that nobody does. */
const names = ['a', 'q', 'id', 'sid', 'secret', 'password', 'note', 'card_no', 'zip', 'token', 'free', 'x[]', '__proto__', 'constructor', 'ref:path', 'RAW_BODY', ''] as const // prettier-ignore

const percent = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')

/** A payload, as it stands or dressed up. */
function value(random: Random): string {
  const text = random.oneIn(3) ? random.pick(loaded) + random.pick(tokens) : decoded(random.pick(texts))
  switch (random.below(8)) {
    case 0:
      return percent(text)
    case 1:
      return Buffer.from(text).toString('base64')
    case 2:
      return text.replaceAll(/[^\w]/g, (char) => `&#${String(char.codePointAt(0))};`)
    case 3:
      return text.replaceAll(
        /[^\w]/g,
        (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
      )
    case 4:
      return text.toUpperCase()
    case 5:
      return [...text].join(random.pick(['/**/', '\u0000', ' ', "'+'", '\u200b']))
    default:
      return text
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A payload of the corpus that is no proper encoding is used as it stands.
    return text
  }
}

/** How many of something: few, sometimes many, rarely thousands. */
const number = (random: Random): number =>
  random.oneIn(60) ? random.below(12_000) : random.oneIn(6) ? random.below(300) : random.below(6)

type Change = (random: Random, draft: Draft) => void

const addParameters: Change = (random, draft) => {
  const many = number(random)
  const distinct = random.oneIn(2)
  const shared = value(random)
  const pieces = Array.from({ length: many }, (_, i) => {
    const name = distinct && many > 20 ? `p${String(i)}` : encodeURIComponent(random.pick(names))
    return `${name}=${random.oneIn(3) || many > 50 ? encodeURIComponent(shared.toWellFormed()) : encodeURIComponent(value(random).toWellFormed())}`
  })
  const target = draft.target.toString()
  draft.target = Buffer.from(`${target}${target.includes('?') ? '&' : '?'}${pieces.join('&')}`)
}

const changePath: Change = (random, draft) => {
  const segments = [
    '..',
    '.',
    '',
    '%2e%2e',
    '%2f',
    'api',
    'open',
    'hook',
    'search',
    ';a=b',
    '%00',
    'é',
    percent('passwd'),
    '.env',
    '\\..',
  ]
  const added = Array.from({ length: number(random) }, () => random.pick(segments)).join('/')
  const target = draft.target.toString()
  draft.target = Buffer.from(random.oneIn(2) ? `/${added}${target}` : `${added}/${target}`)
}

const changeTarget: Change = (random, draft) => {
  draft.target = mutated(random, draft.target)
}

const changeMethod: Change = (random, draft) => {
  draft.method = random.pick([
    'GET',
    'POST',
    'PUT',
    'OPTIONS',
    'get',
    'X',
    '',
    'PROPFIND',
    'Ä',
    'M'.repeat(random.below(4000)),
  ])
}

const changeHost: Change = (random, draft) => {
  const hosts = [
    'a.example.org',
    'h1.example.net',
    'WWW.EXAMPLE.COM.',
    'www.example.com:8443',
    '[2001:db8::1]:80',
    'localhost',
    'nobody',
    'a,b',
    '',
    'x'.repeat(300),
  ]
  draft.authority = random.oneIn(3) ? mutated(random, random.pick(hosts)).toString() : random.pick(hosts)
  if (random.oneIn(4)) draft.headers.push(['Host', Buffer.from(random.pick(hosts))])
}

const changePeer: Change = (random, draft) => {
  draft.client = random.oneIn(2) ? undefined : mutated(random, '2001:db8::1').toString()
  draft.peer = random.oneIn(6) ? mutated(random, draft.peer).toString() : '10.0.0.9'
  const chain = Array.from({ length: number(random) }, () =>
    random.pick(['203.0.113.9', '10.0.0.1', 'unknown', '[2001:db8::1]:80', '::ffff:1.2.3.4', '']),
  )
  draft.headers.push([random.pick(['x-forwarded-for', 'true-client-ip']), Buffer.from(chain.join(', '))])
  draft.headers.push(['x-forwarded-proto', Buffer.from(random.pick(['http', 'HTTPS', 'x', 'http,https']))])
  draft.headers.push([
    'x-forwarded-port',
    Buffer.from(random.pick(['80', '99999', 'x'.repeat(9000), '8443, 1'])),
  ])
}

const changeHeaders: Change = (random, draft) => {
  const known = draft.headers.length === 0 ? 'x-a' : random.pick(draft.headers)[0]
  switch (random.below(7)) {
    case 0:
      draft.headers = draft.headers.map(([name, value]) =>
        name === known ? [name, mutated(random, value)] : [name, value],
      )
      break
    case 1:
      draft.headers.push([random.oneIn(2) ? known.toUpperCase() : known, Buffer.from(value(random))])
      break
    case 2:
      draft.headers = draft.headers.filter(([name]) => name !== known)
      break
    case 3:
      draft.headers.push([mutated(random, known).toString('latin1'), Buffer.from('1')])
      break
    case 4:
      for (let i = number(random); i > 0; i--)
        draft.headers.push([`x-${String(i)}`, Buffer.from(value(random))])
      break
    case 5:
      draft.headers.push(['referer', Buffer.from(`https://h.example/${value(random)}?q=${value(random)}`)])
      break
    default:
      draft.headers.push([
        random.pick(['x-a', 'x-bot', 'authorization', 'x-session', 'x-envoy-external-address', ':path']),
        Buffer.from(value(random).repeat(number(random))),
      ])
  }
}

const changeCookies: Change = (random, draft) => {
  const pieces = Array.from({ length: number(random) }, () => `${random.pick(names)}=${value(random)}`)
  // One header, or one for each cookie, or a value that is torn apart.
  const lines = random.oneIn(3) ? pieces : [pieces.join(random.pick(['; ', ';', ';;', ',']))]
  for (const line of lines.slice(0, 500)) draft.headers.push(['cookie', Buffer.from(line)])
  if (random.oneIn(5)) draft.headers.push(['cookie', mutated(random, 'waap_id=1; bot=x; sid=abc')])
}

const types = ['application/json', 'text/xml', 'multipart/form-data', 'multipart/form-data; boundary=b', 'application/graphql', 'text/plain; charset=utf-16', 'image/png',
  'application/x-www-form-urlencoded; charset=windows-1252', 'application/json, text/xml', ';', 'a/b; charset="', 'application/vnd.x+json', 'application/octet-stream'] as const // prettier-ignore

const changeType: Change = (random, draft) => {
  const type = random.oneIn(4) ? mutated(random, random.pick(types)) : random.pick(types)
  if (random.oneIn(8)) draft.headers.push(['Content-Type', Buffer.from(type)])
  else replaceHeader(draft, 'content-type', type)
}

const sampleBody: Change = (random, draft) => {
  const sample = random.pick(random.pick(Object.values(bodySamples)))
  setBody(draft, random.oneIn(8) ? undefined : sample.type, mutated(random, sample.body))
}

const spliceBody: Change = (random, draft) => {
  const other = random.pick(seeds).body ?? value(random)
  const body = draft.body ?? Buffer.from('')
  const at = random.below(body.length + 1)
  setBody(draft, undefined, Buffer.concat([body.subarray(0, at), Buffer.from(other), body.subarray(at)]))
}

const changeBody: Change = (random, draft) => {
  if (draft.body === undefined) return sampleBody(random, draft)
  setBody(draft, undefined, mutated(random, draft.body))
}

const nest = (random: Random, depth: number, open: string, close: string, core: string): string =>
  random.oneIn(8) ? open.repeat(depth) + core : open.repeat(depth) + core + close.repeat(depth)

/** Deep and wide bodies of each kind. */
const buildBody: Change = (random, draft) => {
  const n = number(random)
  const text = value(random)
  const leaf = JSON.stringify(text)
  const xmlText = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  const many = (build: (i: number) => string, separator: string): string =>
    Array.from({ length: n }, (_, i) => build(i)).join(separator)
  const choices: readonly (() => readonly [string, string])[] = [
    () => ['application/json', nest(random, n, '[', ']', leaf)],
    () => ['application/json', nest(random, n, '{"query":', '}', leaf)],
    () => [
      'application/json',
      `{${many((i) => `"${random.oneIn(3) ? random.pick(names) : String(i)}":${leaf}`, ',')}}`,
    ],
    () => [
      'application/json',
      JSON.stringify({ query: `query Q { ${many((i) => `f${String(i)}(x: ${leaf})`, ' ')} }` }),
    ],
    () => ['application/graphql', nest(random, n, '{ a', '}', ' b(c: "d")')],
    () => ['text/xml', nest(random, n, '<a b="c">', '</a>', xmlText)],
    () => [
      'text/xml',
      `<r>${many((i) => `<e${String(i % 9)} a="${xmlText.replaceAll('"', '')}">x</e${String(i % 9)}>`, '')}</r>`,
    ],
    () => [
      'text/xml',
      `<!DOCTYPE r [${many((i) => `<!ENTITY e${String(i)} "&e${String(i - 1)};&e${String(i - 1)};">`, '')}]><r>&e9;</r>`,
    ],
    () => [
      'application/x-www-form-urlencoded',
      many(() => `${random.pick(names)}=${encodeURIComponent(text.toWellFormed())}`, '&'),
    ],
    () => [
      'multipart/form-data; boundary=b',
      `${many((i) => `--b\r\nContent-Disposition: form-data; name="${random.oneIn(3) ? 'secret' : `n${String(i)}`}"${random.oneIn(4) ? '; filename="x.php"' : ''}\r\n\r\n${text}\r\n`, '')}--b--\r\n`,
    ],
    () => ['text/plain', text.repeat(n)],
  ]
  const [type, body] = random.pick(choices)()
  setBody(draft, type, Buffer.from(body))
}

const coders: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
  ['gzip', (bytes) => gzipSync(bytes, { level: 1 })],
  ['deflate', (bytes) => deflateSync(bytes, { level: 1 })],
  ['deflate', (bytes) => deflateRawSync(bytes, { level: 1 })],
  ['br', (bytes) => brotliCompressSync(bytes, { params: { 1: 1 } })],
]

/** A real coding, sometimes broken afterwards, or only the claim of one. */
const codeBody: Change = (random, draft) => {
  if (draft.body === undefined) return
  if (random.oneIn(4)) {
    replaceHeader(
      draft,
      'content-encoding',
      random.pick(['gzip', 'br', 'identity', 'zstd', 'gzip, gzip, gzip, gzip', ',', 'GZIP']),
    )
    return
  }
  const layers = random.oneIn(6) ? 2 : 1
  const applied: string[] = []
  for (let i = 0; i < layers; i++) {
    const [name, code] = random.pick(coders)
    draft.body = code(draft.body)
    applied.push(name)
  }
  if (random.oneIn(4)) draft.body = mutate(random, draft.body)
  replaceHeader(draft, 'content-encoding', applied.join(', '))
}

const cutBody: Change = (random, draft) => {
  if (draft.body === undefined) return
  draft.body = draft.body.subarray(0, random.below(draft.body.length + 1))
  draft.partial = random.oneIn(2)
  if (random.oneIn(3))
    draft.headers.push([
      'content-length',
      Buffer.from(random.pick(['0', '-1', '99999999999999999', 'x', String(draft.body.length)])),
    ])
}

/** Long texts that make scanners think: a few tokens, again and again, where a client can put them. */
export const hostile: Change = (random, draft) => {
  const unit = Array.from({ length: 1 + random.below(4) }, () =>
    random.oneIn(4) ? value(random).slice(0, 60) : random.pick(random.oneIn(3) ? tokens : loaded),
  ).join(random.oneIn(3) ? ' ' : '')
  const length = random.oneIn(100) ? 1_000_000 : random.oneIn(4) ? 64_000 : random.below(16_000)
  const most = Math.max(1, Math.trunc(length / Math.max(1, Buffer.byteLength(unit))))
  const text = unit.repeat(most)
  const choices: readonly (() => void)[] = [
    () => setBody(draft, 'text/plain', Buffer.from(text)),
    () => setBody(draft, 'application/json', Buffer.from(JSON.stringify({ a: text }))),
    () =>
      setBody(
        draft,
        'application/json',
        Buffer.from(
          JSON.stringify(Array.from({ length: 40 }, (_, i) => String(i) + text.slice(0, text.length / 40))),
        ),
      ),
    () =>
      setBody(draft, 'application/x-www-form-urlencoded', Buffer.from(`a=${text.replaceAll('&', '%26')}`)),
    () =>
      setBody(
        draft,
        'multipart/form-data; boundary=b',
        Buffer.from(`--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n${text}\r\n--b--\r\n`),
      ),
    () => setBody(draft, undefined, Buffer.from(text)),
    () => {
      draft.target = Buffer.from(`/search?q=${text.slice(0, 60_000)}`)
    },
    () => {
      draft.target = Buffer.from(`/${text.slice(0, 60_000)}`)
    },
    () => {
      draft.headers.push(['cookie', Buffer.from(text.slice(0, 60_000))])
    },
    () => {
      draft.headers.push(['x-a', Buffer.from(text.slice(0, 60_000))])
    },
  ]
  random.pick(choices)()
}

/** Kinds of input: what is changed most. */
export const requestKinds: Readonly<Record<string, readonly Change[]>> = {
  bytes: [changeTarget, changeBody, changeHeaders],
  target: [addParameters, changePath, changeTarget, changeMethod],
  headers: [changeHeaders, changeCookies, changeHost, changePeer, changeType],
  body: [sampleBody, spliceBody, changeBody, buildBody, changeType, cutBody],
  coded: [buildBody, sampleBody, codeBody, codeBody, cutBody],
  all: [addParameters, changePath, changeTarget, changeMethod, changeHost, changePeer, changeHeaders, changeCookies, changeType, sampleBody, spliceBody, changeBody, buildBody, codeBody, cutBody], // prettier-ignore
  hostile: [hostile],
}

/** What Envoy lets through (`src/envoy/xds/connection-manager.ts`): header lines, and bytes of the whole head. */
const mostHeaders = 200
const mostHeadBytes = 128 * 1024

/** Leaves away what Envoy would refuse before Weir is asked. */
function fitHead(draft: Draft): void {
  let room = mostHeadBytes
  const take = (bytes: Buffer): Buffer => {
    const taken = bytes.subarray(0, room)
    room -= taken.length
    return taken
  }
  draft.target = take(draft.target)
  draft.headers = draft.headers.slice(-mostHeaders).map(([name, value]) => [name, take(value)] as const)
}

/** A request of the corpus after one to four changes of its kind. */
export function changedDraft(kind: string, random: Random): Draft {
  const changes = requestKinds[kind]
  if (changes === undefined) throw new Error(`no kind of input is called ${kind}`)
  const draft = seedDraft(random)
  const times = kind === 'hostile' ? 1 : 1 + random.below(4)
  for (let i = 0; i < times; i++) random.pick(changes)(random, draft)
  fitHead(draft)
  return draft
}
