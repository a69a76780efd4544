// The benign half of the corpus: each text where users put texts (search, form, JSON, Markdown field, cookie, beacon),
// and generated sentences that mix them, by a fixed seed.
import { bodies, cookies, languages, prose, snippets, targets, urls, userAgents } from './benign.ts'
import { hardBodies, hardHeaders, hardTargets, hardTexts } from './benign-hard.ts'
import { moreProse } from './benign-more.ts'
import { type CorpusRequest, type Shape, browser, placements } from './placements.ts'

/** A small generator of even, repeatable numbers below `n`. */
function dice(seed: number): (n: number) => number {
  let state = seed
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

const names = [
  "Seán O'Connor",
  "Zoë d'Arcy",
  'Ann Null',
  'José María',
  "M'Baye Niang",
  'Li Wei',
  'Drop Tables Jr.',
  'Tim O’Reilly',
  'Anna-Lena & Co.',
  'R. "Bob" Tables',
]
const openings = [
  'Hi there,',
  'Question:',
  'Thanks!',
  'Please note -',
  'FYI:',
  'Hello & welcome;',
  'TL;DR',
  'Re: your mail',
]
const textual = ['query', 'query-plus', 'form', 'json', 'json-list', 'xml', 'multipart', 'text'] as const

export function benignRequests(): readonly CorpusRequest[] {
  const requests: CorpusRequest[] = []
  const add = (category: string, where: string, shape: Shape): void => {
    const index = requests.length
    requests.push({
      name: `benign-${category}-${where}-${String(index)}`,
      label: 'benign',
      category,
      ip: `198.51.100.${String(1 + (index % 250))}`,
      authority: 'localhost',
      ...shape,
    })
  }
  const put = (category: string, text: string, where: string): void => {
    const place = placements[where]
    if (place !== undefined) add(category, where, place(text))
  }
  let turn = 0
  const inTurn = (category: string, text: string, times: number): void => {
    for (let k = 0; k < times; k++) put(category, text, textual[turn++ % textual.length] ?? 'query')
  }
  for (const text of prose) inTurn('prose', text, 3)
  for (const text of moreProse) inTurn('more', text, 2)
  for (const text of snippets) inTurn('snippet', text, 3)
  for (const text of hardTexts) inTurn('hard', text, 2)
  for (const text of languages) inTurn('language', text, 4)
  for (const name of names) inTurn('name', name, 4)
  for (const url of urls) {
    inTurn('url', url, 2)
    put('url', url, 'base64')
    add('url', 'referer', { method: 'GET', path: '/page', headers: { ...browser, referer: url } })
  }
  for (const path of targets) add('target', 'path', { method: 'GET', path, headers: browser })
  for (const agent of userAgents)
    for (const path of ['/', '/products/12?color=red'])
      add('user-agent', 'header', { method: 'GET', path, headers: { ...browser, 'user-agent': agent } })
  for (const cookie of cookies)
    for (const path of ['/', '/cart?x=1'])
      add('cookie', 'cookie', { method: 'GET', path, headers: { ...browser, cookie } })
  for (const path of hardTargets) add('hard', 'path', { method: 'GET', path, headers: browser })
  for (const [name, value] of hardHeaders)
    add('hard', 'header', { method: 'GET', path: '/', headers: { ...browser, [name]: value } })
  for (const [contentType, body] of hardBodies)
    add('hard', 'body', {
      method: 'POST',
      path: '/api',
      headers: { ...browser, 'content-type': contentType },
      body,
    })
  for (const [contentType, body] of bodies)
    add('body', 'body', {
      method: 'POST',
      path: '/api',
      headers: { ...browser, 'content-type': contentType, origin: 'https://www.example.com' },
      body,
    })

  const roll = dice(20240501)
  const pick = <T>(list: readonly T[], fallback: T): T => list[roll(list.length)] ?? fallback
  const pool = [...prose, ...languages, ...names]
  for (let i = 0; i < 700; i++) {
    const parts = [pick(openings, ''), ...Array.from({ length: 2 + roll(4) }, () => pick(pool, ''))]
    put('mixed', parts.join(pick([' ', '. ', '; ', ', ', '\n', ' - '], ' ')), pick(textual, 'query'))
  }
  for (let i = 0; i < 250; i++) {
    const post = `${pick(openings, '')}\n\n${pick(prose, '')}\n\n${pick(snippets, '')}\n\n${pick(prose, '')}${i % 3 === 0 ? `\n\n${pick(snippets, '')}` : ''}`
    put('forum', post, pick(['form', 'json', 'multipart'], 'json'))
  }
  for (let i = 0; i < 200; i++) {
    const bytes = Array.from({ length: 30 + roll(200) }, () => roll(256))
    const blob = Buffer.from(bytes).toString(i % 2 === 0 ? 'base64' : 'base64url')
    put(
      'blob',
      i % 3 === 0 ? `${blob}.${blob.slice(0, 40)}.${blob.slice(3, 30)}` : blob,
      pick(['query', 'form', 'json', 'cookie', 'header'], 'json'),
    )
  }
  return requests
}
