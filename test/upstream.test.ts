// What reaches the origin of a request that passes, and what Envoy said to the filter alone (spec pipeline 1.6, 2).
import { describe, expect, test } from '@jest/globals'
import { inputOf, judgeUnder, site } from './support/base.ts'

const forwarded = async (headers: Readonly<Record<string, string>>, changes = {}) => {
  const decision = await site(changes).send({ path: '/', headers })
  expect(decision.answer).toBeUndefined()
  return {
    cookie: decision.requestHeaders.filter(([name]) => name === 'cookie').map(([, value]) => value),
    remove: decision.removeHeaders,
  }
}

describe('proof cookies that are not genuine do not reach the origin', () => {
  test('a request without them keeps its cookies untouched', async () => {
    expect(await forwarded({ cookie: 'a=1; waap_other=2' })).toEqual({ cookie: [], remove: [] })
  })
  test('the other cookies are sent on', async () => {
    expect(await forwarded({ cookie: 'a=1; waap_hp=x; b=2; waap_id=y' })).toEqual({
      cookie: ['a=1; b=2'],
      remove: [],
    })
  })
  test('a cookie header with nothing else is removed', async () => {
    expect(await forwarded({ cookie: 'waap_ic=x; waap_tr=1' })).toEqual({ cookie: [], remove: ['cookie'] })
  })
  test('a blank behind the name does not help', async () => {
    expect(await forwarded({ cookie: 'waap_hp =x' })).toEqual({ cookie: [], remove: ['cookie'] })
  })
  test('a monitor that sets cookies has the last word', async () => {
    const changes = {
      actions: [
        {
          id: 'action-cookie',
          name: 'c',
          type: 'monitor',
          tags: ['c'],
          params: { headers: { Cookie: 'own=1' } },
        },
      ],
      'global-filters': [
        {
          id: 'f',
          name: 'f',
          active: true,
          source: 'self-managed',
          mdate: '2026-01-02T03:04:05Z',
          tags: ['t'],
          action: 'action-cookie',
          rule: ['path', '^/', ''],
        },
      ],
    }
    expect(await forwarded({ cookie: 'waap_hp=x; a=1' }, changes)).toEqual({ cookie: ['own=1'], remove: [] })
  })
})

test('until then they are ordinary cookies to the content filter', async () => {
  const { answer } = await site().send({ path: '/', headers: { cookie: 'waap_hp=xp_cmdshell(' } })
  expect(answer?.status).toBe(473)
})

describe('what Envoy says of the TLS handshake', () => {
  const connection = {
    port: 8443,
    protocol: 'HTTP/2',
    sni: undefined,
    certificate: undefined,
    listener: 'https',
    clientCertificates: 'off',
    ja3: '0123456789abcdef0123456789abcdef',
    ja4: 't13d1516h2_8daaf6152771_e5627efa2ab1',
    taken: ['x-weir-ja3', 'x-weir-ja4'],
  }
  const decide = (changes: Partial<typeof connection>) => {
    const { clock, decide: decided } = judgeUnder()
    return decided({ ...inputOf({}, clock.now()), connection: { ...connection, ...changes } })
  }
  test('becomes tags and goes no further', async () => {
    const { record, removeHeaders } = await decide({})
    expect(record.tags).toEqual(
      expect.arrayContaining([
        'ja3:0123456789abcdef0123456789abcdef',
        'ja4:t13d1516h2-8daaf6152771-e5627efa2ab1',
        'headers:2',
      ]),
    )
    expect(removeHeaders).toEqual(['x-weir-ja3', 'x-weir-ja4'])
  })
  test('a plaintext connection has no such tags', async () => {
    const { record } = await judgeUnder().decide(inputOf({}, 0))
    expect(record.tags.filter((tag) => tag.startsWith('ja'))).toEqual([])
  })
})
