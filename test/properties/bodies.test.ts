// Properties of what is read from bodies: a value that was put into a format at random comes out of it as it was, whatever
// coding, charset or order surrounds it; and what breaks off is read as far as it goes.
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import { type Random, createRandom } from '../fuzz/random.ts'
import { bodySamples } from '../fuzz/samples.ts'
import { type Pair, joined, pairs, percent, readPosted, shown, text, times, word, xmlText } from './values.ts'

const runs = times(200, (i) => createRandom(2, i))

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

function json(random: Random, depth: number): Json {
  if (depth === 0 || random.oneIn(3))
    return random.pick<Json>([text(random), random.below(1000), true, false, null, ''])
  if (random.oneIn(2)) return times(1 + random.below(3), () => json(random, depth - 1))
  return Object.fromEntries(
    times(1 + random.below(3), (i) => [word(random) + String(i), json(random, depth - 1)]),
  )
}

/** Names as spec pipeline 1.8 has them: keys and indexes joined by `_`. */
function leavesOf(value: Json, name = ''): Pair[] {
  if (typeof value !== 'object' || value === null) return [[name === '' ? 'JSON_ROOT' : name, String(value)]]
  return Object.entries(value).flatMap(([key, inner]) =>
    leavesOf(inner, name === '' ? key : `${name}_${key}`),
  )
}

const unicodeEscape = (char: string): string =>
  char
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')

/** A string literal in which any character may be an escape. */
const literal = (random: Random, plain: string): string => {
  const written = Array.from(plain).map((char) =>
    char === '"' || char === '\\' || random.oneIn(6) ? unicodeEscape(char) : char,
  )
  return `"${written.join('')}"`
}

function written(random: Random, value: Json): string {
  const blank = random.pick(['', ' ', '\n\t'])
  if (typeof value === 'string') return literal(random, value)
  if (typeof value !== 'object' || value === null) return String(value) + blank
  if (Array.isArray(value)) return `[${value.map((inner: Json) => written(random, inner)).join(`,${blank}`)}]`
  const fields = Object.entries(value).map(
    ([name, inner]: readonly [string, Json]) => `${literal(random, name)}${blank}:${written(random, inner)}`,
  )
  return `{${blank}${fields.join(',')}}`
}

test('JSON: every scalar under its name, however it is laid out and escaped', () => {
  for (const random of runs) {
    const value = json(random, 4)
    expect(shown(readPosted('application/json', written(random, value)).args)).toEqual(
      joined(leavesOf(value)),
    )
  }
})

test('forms: names and values as they were sent', () => {
  for (const random of runs) {
    const sent = pairs(random, () => text(random))
    const body = sent.map(([name, value]) => `${name}=${percent(random, value, true)}`).join('&')
    expect(shown(readPosted('application/x-www-form-urlencoded', body).args)).toEqual(joined(sent))
  }
})

test('multipart: fields and files whatever the boundary, the line ends within and the text around the parts', () => {
  for (const random of runs) {
    const boundary = `${word(random)}-${String(random.below(1_000_000))}`
    const sent = pairs(
      random,
      () => text(random) + random.pick(['', '\r\n', '\n--', `\r\n--${boundary.slice(0, -1)}`]),
    )
    const parts = sent.map(
      ([name, value]) =>
        `--${boundary}\r\n${random.pick(['Content-Type: text/plain\r\n', ''])}content-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
    )
    const body = `${random.pick(['', 'preamble\r\n'])}${parts.join('')}--${boundary}--\r\n${random.pick(['', 'epilogue'])}`
    const { args } = readPosted(`multipart/form-data; boundary="${boundary}"`, body)
    expect(shown(args)).toEqual(joined(sent))
  }
})

test('XML: every text and attribute, as text, CDATA or character references', () => {
  for (const random of runs) {
    const texts = times(1 + random.below(5), () => text(random))
    const attributes = texts.map(() => text(random))
    const elements = texts.map((plain, i) => {
      const content = random.oneIn(3) ? `<![CDATA[${plain.replaceAll(']]>', '')}]]>` : xmlText(random, plain)
      return `<${random.pick(['e', 'n:e'])}${String(i)} a="${xmlText(random, attributes[i] ?? '')}">${random.pick(['', '<!-- c -->'])}${content}</`
    })
    const closed = elements.map((element) => `${element}${/^<(\S+)/.exec(element)?.[1] ?? ''}>`)
    const { args } = readPosted('text/xml', `<?xml version="1.0"?><r xmlns:n="u">${closed.join('')}</r>`)
    expect([...args.values()].map(({ value }) => value)).toEqual(
      expect.arrayContaining([...texts, ...attributes]),
    )
  }
})

test('GraphQL: every string of a document, alone and inside JSON', () => {
  for (const random of runs) {
    const texts = times(1 + random.below(4), () => text(random))
    const fields = texts.map((plain, i) => `${word(random)}${String(i)}(x: ${JSON.stringify(plain)}) { id }`)
    const document = `query Q { ${fields.join(' ')} }`
    const bodies = [
      readPosted('application/graphql', document),
      readPosted('application/json', JSON.stringify({ query: document })),
    ]
    for (const { args } of bodies)
      expect([...args.values()].map(({ value }) => value)).toEqual(expect.arrayContaining(texts))
  }
})

const codings: readonly (readonly [string, (bytes: Uint8Array) => Buffer])[] = [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['identity', (bytes) => Buffer.from(bytes)],
]

test('codings: the body is read as if it had none, up to three of them', () => {
  for (const random of runs.slice(0, 80)) {
    const body = JSON.stringify(json(random, 3))
    const layers = times(1 + random.below(3), () => random.pick(codings))
    const coded = layers.reduce<Uint8Array>((bytes, [, code]) => code(bytes), Buffer.from(body))
    const headers = [['content-encoding', layers.map(([name]) => name).join(', ')]] as const
    expect(shown(readPosted('application/json', coded, { headers }).args)).toEqual(
      shown(readPosted('application/json', body).args),
    )
  }
})

test('charsets: what a backend reads is what rules read', () => {
  for (const random of runs) {
    const document = JSON.stringify({ a: text(random) })
    const wanted = shown(readPosted('application/json', document).args)
    const utf16 = Buffer.from(document, 'utf16le')
    expect(shown(readPosted('application/json; charset=utf-16le', utf16).args)).toEqual(wanted)
    const marked = Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(utf16).swap16()])
    expect(shown(readPosted('application/json; charset=UTF-16', marked).args)).toEqual(wanted)
  }
})

test('a body that breaks off is no malformed one, and what was read of it is a beginning of the whole', () => {
  for (const random of runs) {
    const { type, body } = random.pick([...(bodySamples['json'] ?? []), ...(bodySamples['form'] ?? [])])
    const whole = [...readPosted(type, body).args.keys()]
    const cut = Buffer.from(body).subarray(0, random.below(body.length) + 1)
    const { body: report, args } = readPosted(type, cut, { partial: true })
    expect([type, report.malformed, report.partial]).toEqual([type, undefined, true])
    // The last name may be broken off itself.
    const names = [...args.keys()].filter((name) => name !== 'RAW_BODY').slice(0, -1)
    expect(names).toEqual(whole.slice(0, names.length))
  }
})
