// Properties of decisions: what may not depend on anything, what may never be written down, and what may never be too long.
import { describe, expect, test } from '@jest/globals'
import type { Decision } from '#pipeline'
import { checkDecision } from '../fuzz/decision-check.ts'
import { type Draft, inputOf } from '../fuzz/draft.ts'
import { type FuzzPolicy, fuzzPolicies } from '../fuzz/policies.ts'
import { createRandom } from '../fuzz/random.ts'
import { changedDraft, requestKinds, seedDraft } from '../fuzz/requests.ts'
import { anyCase, percent, shuffled, text, times, word } from './values.ts'

const everyone = fuzzPolicies()
const [shipped, everything] = everyone
if (shipped === undefined || everything === undefined) throw new Error('two policies are expected')

function decide(policy: FuzzPolicy, draft: Draft): Decision {
  policy.clock.advance(draft.after)
  const decision = policy.pipeline.decide(inputOf(draft, policy.authority, policy.clock.now()))
  if (decision instanceof Promise) throw new Error('memory answers at once')
  expect(policy.defects()).toEqual([])
  checkDecision(decision, policy.maxRecordBytes)
  return decision
}

/** What a decision says, without how long it took. */
const told = ({ action, answer, record, requestHeaders }: Decision): unknown => ({
  action,
  answer,
  requestHeaders,
  record: { ...record, rbz_latency: 0, profiling: record.profiling.map(({ name }) => name) },
})

test('requests alone decide: two pipelines that saw the same ones say the same', () => {
  const others = fuzzPolicies()
  for (const i of times(60, (i) => i)) {
    const draft = changedDraft(
      createRandom(3, i).pick(Object.keys(requestKinds).slice(0, 6)),
      createRandom(4, i),
    )
    const say = (policy: FuzzPolicy): unknown => told(decide(policy, draft))
    expect(others.map(say)).toEqual(everyone.map(say))
  }
})

test('header lines of different names may come in any order, and their names in any case', () => {
  const client = '198.51.100.7'
  for (const i of times(60, (i) => i)) {
    const random = createRandom(5, i)
    const draft = { ...seedDraft(random), client, after: 60_000 }
    const headers = shuffled(random, draft.headers).map(
      ([name, value]) => [anyCase(random, name), value] as const,
    )
    const [first, second] = [draft, { ...draft, headers }].map((one) => decide(shipped, one))
    expect([second?.action, second?.record.tags]).toEqual([first?.action, first?.record.tags])
    expect(second?.record.cf_triggers).toEqual(expect.arrayContaining([...(first?.record.cf_triggers ?? [])]))
  }
})

describe('masking (spec pipeline 6.5)', () => {
  type Send = (draft: Draft, clear: string, spelt: string) => void
  /** The ways in which a client can send the value of `secret`, which the policy masks everywhere, and what is told instead. */
  const ways: readonly (readonly [says: string, told: string, send: Send])[] = [
    [
      'a query',
      '&y=2"',
      (draft, _clear, spelt) => void (draft.target = Buffer.from(`/a?x=1&secret=${spelt}&y=2`)),
    ],
    [
      'a query, the name encoded',
      '?%73ecret=MASKED{',
      (draft, _clear, spelt) => void (draft.target = Buffer.from(`/a?%73ecret=${spelt}`)),
    ],
    [
      'a cookie',
      '"secret":"MASKED{',
      (draft, clear) => void draft.headers.push(['cookie', Buffer.from(`a=1; secret=${clear}`)]),
    ],
    [
      'a header',
      '"secret":"MASKED{',
      (draft, clear) => void draft.headers.push(['Secret', Buffer.from(clear)]),
    ],
    [
      'a path part',
      '"part3":"MASKED{',
      (draft, _clear, spelt) => void (draft.target = Buffer.from(`/a/b/${spelt}/d`)),
    ],
    [
      'a Referer',
      '?secret=MASKED{',
      (draft, _clear, spelt) =>
        void draft.headers.push(['referer', Buffer.from(`https://h.example/?secret=${spelt}`)]),
    ],
    [
      'a form',
      '"secret":"MASKED{',
      (draft, _clear, spelt) => post(draft, 'application/x-www-form-urlencoded', `a=1&secret=${spelt}`),
    ],
    [
      'JSON',
      '"secret":"MASKED{',
      (draft, clear) => post(draft, 'application/json', JSON.stringify({ secret: clear, b: [1] })),
    ],
    [
      'JSON that is malformed',
      '"body":null',
      (draft, clear) => post(draft, 'application/json', `{"secret":"${clear}",`),
    ],
    [
      'multipart',
      '"secret":"MASKED{',
      (draft, clear) =>
        post(
          draft,
          'multipart/form-data; boundary=b',
          `--b\r\nContent-Disposition: form-data; name="secret"\r\n\r\n${clear}\r\n--b--`,
        ),
    ],
  ]
  const post = (draft: Draft, type: string, body: string): void => {
    draft.method = 'POST'
    draft.headers.push(['content-type', Buffer.from(type)])
    draft.body = Buffer.from(body)
  }

  test.each(ways)('the clear value in %s is nowhere in the record', (_says, instead, send) => {
    for (const i of times(10, (i) => i)) {
      const random = createRandom(6, i)
      const core = word(random) + word(random) + String(1_000_000 + random.below(1_000_000))
      // An attack around it makes triggers and reasons that quote it.
      const clear = random.pick([core, `1' or ${core}=1 union select 1`, `<script>alert(${core})</script>`])
      const start = { ...seedDraft(random), method: 'GET', headers: [], body: undefined, plugins: {} }
      const draft: Draft = { ...start, target: Buffer.from('/'), after: 60_000 }
      send(draft, clear, percent(random, clear))
      const record = JSON.stringify(decide(everything, draft).record)
      expect([record.includes(core), record.includes(instead)]).toEqual([false, true])
    }
  })
})

describe('length', () => {
  const long = Buffer.from(word(createRandom(7)).repeat(40_000).slice(0, 130_000))
  const line = long.toString()
  const parts: readonly (readonly [says: string, change: Partial<Draft>])[] = [
    ['method', { method: line }],
    ['authority', { authority: line }],
    ['path', { target: Buffer.from(`/${line}`) }],
    ['query', { target: Buffer.from(`/?q=${line}`) }],
    ['name of an argument', { target: Buffer.from(`/?${line}=1`) }],
    ['user agent', { headers: [['user-agent', long]] }],
    ['Referer', { headers: [['referer', long]] }],
    ['header that is never left out', { headers: [['accept', long]] }],
    ['name of a header', { headers: [[line, Buffer.from('1')]] }],
    ['cookie', { headers: [['cookie', Buffer.from(`a=${line}`)]] }],
    ['forwarded port', { headers: [['x-forwarded-port', long]] }],
    ['client address', { client: line }],
    ['peer', { client: undefined, peer: line }],
    ['plugin', { plugins: { 'jwt.sub': line } }],
    ['body', { method: 'POST', body: long }],
    [
      'malformed body',
      { method: 'POST', body: long, headers: [['content-type', Buffer.from('application/json')]] },
    ],
  ]
  test.each(parts)('a long %s makes no record longer than the limit', (_says, change) => {
    const random = createRandom(8)
    const draft: Draft = {
      ...seedDraft(random),
      method: 'GET',
      headers: [],
      body: undefined,
      target: Buffer.from(`/${text(random, '%')}`),
    }
    for (const policy of everyone)
      expect(decide(policy, { ...draft, ...change }).record.blocked).toBeDefined()
  })
})
