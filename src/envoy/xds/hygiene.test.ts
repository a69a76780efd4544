// Which headers a client may send. Each row is matched as Envoy does it: RE2, the whole lower-case name.
import { describe, expect, test } from '@jest/globals'
import { compilePattern } from '#platform'
import { aliasesOf, forbiddenHeaders } from './hygiene.ts'

const usual = { clientAddress: ['X-Forwarded-For'], realIp: ['X-Real-IP'] }

const isForbidden = (name: string, trusted = usual): boolean =>
  compilePattern(`^(?:${forbiddenHeaders(trusted)})$`).test(name)

describe('aliases of a header name', () => {
  const rows: readonly (readonly [name: string, aliases: readonly string[]])[] = [
    ['host', []],
    ['x-real', ['x_real']],
    ['X-Real-IP', ['x_real[-_]ip', 'x[-_]real_ip']],
    ['true_client', ['true-client']],
    ['x-a.b', ['x_a\\.b']],
  ]
  for (const [name, aliases] of rows) test(name, () => expect(aliasesOf(name)).toEqual(aliases))
})

describe('a client', () => {
  const rows: readonly (readonly [says: string, name: string, forbidden: boolean])[] = [
    ['cannot speak for Weir', 'x-weir-ja4', true],
    ['cannot speak for Weir in another spelling', 'x_weir-ja4', true],
    ['may have a header that begins alike', 'x-weirdo', false],
    ['cannot control Envoy', 'x-envoy-retry-on', true],
    ['cannot claim a certificate', 'ssl_client_s_dn', true],
    ['may send another ssl header', 'ssl-client-cipher', false],
    ['cannot state the real address', 'x-real-ip', true],
    ['cannot state it in another spelling', 'x_real-ip', true],
    ['may send the header of its address, which Envoy extends', 'x-forwarded-for', false],
    ['cannot send an alias of it', 'x-forwarded_for', true],
    ['cannot send an alias of a relative of it', 'x-forwarded-client_cert', true],
    ['may send a genuine relative', 'x-forwarded-host', false],
    ['cannot declare another length', 'content_length', true],
    ['declares its length', 'content-length', false],
    ['cannot choose the request id', 'x-request-id', true],
    ['may use underscores for its own', 'user_id', false],
  ]
  for (const [says, name, forbidden] of rows)
    test(`${says}: ${name}`, () => expect(isForbidden(name)).toBe(forbidden))

  test('keeps the header that tells the origin its address when the same one states it', () => {
    const both = { clientAddress: ['CF-Connecting-IP'], realIp: ['cf-connecting-ip'] }
    expect(isForbidden('cf-connecting-ip', both)).toBe(false)
    expect(isForbidden('cf_connecting-ip', both)).toBe(true)
  })
})
