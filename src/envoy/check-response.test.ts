import { describe, expect, test } from '@jest/globals'
import type { Decision } from '#pipeline'
import { encodeCheckResponse } from './check-response.ts'
import { block, pass, record } from './check.fixture.ts'
import { lookup } from './protos.ts'

type Decoded = Readonly<Record<string, unknown>> & {
  readonly dynamic_metadata: { readonly fields: { readonly weir: { readonly stringValue: string } } }
}

const decoded = (decision: Decision): Decoded => {
  const type = lookup('envoy.service.auth.v3.CheckResponse')
  return type.toObject(type.decode(encodeCheckResponse(decision)), { enums: String }) as Decoded
}

const option = (
  key: string,
  value: string,
  more: object = { append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
): object => ({
  header: { key, value },
  ...more,
})

describe('a decision becomes a CheckResponse', () => {
  test('pass: OK and nothing else', () => {
    const { dynamic_metadata: _, ...rest } = decoded(pass)
    expect(rest).toEqual({ status: {}, ok_response: {} })
  })

  test('headers for the origin replace those of the client, others are taken away', () => {
    const decision: Decision = {
      ...pass,
      requestHeaders: [
        ['x-real-ip', '203.0.113.7'],
        ['x-empty', ''],
      ],
      removeHeaders: ['x-weir-ja3', 'x-weir-ja4'],
    }
    expect(decoded(decision)['ok_response']).toEqual({
      headers: [
        option('x-real-ip', '203.0.113.7'),
        { header: { key: 'x-empty' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD', keep_empty_value: true },
      ],
      headers_to_remove: ['x-weir-ja3', 'x-weir-ja4'],
    })
  })

  test('block: status, headers and body', () => {
    const { status, denied_response } = decoded(block)
    expect(status).toEqual({ code: 7 })
    expect(denied_response).toEqual({
      // Not one of the names of the enum, so the number stays a number.
      status: { code: 473 },
      headers: [option('content-type', 'text/html; charset=utf-8'), option('cache-control', 'no-store')],
      body: '<h1>Blocked</h1>',
    })
  })

  test('two cookies stay two headers', () => {
    const headers = [
      ['Set-Cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ] as const
    const answer = { status: 247, headers, body: '' }
    expect(decoded({ ...block, answer })['denied_response']).toMatchObject({
      headers: [option('Set-Cookie', 'a=1'), option('set-cookie', 'b=2', {})],
    })
  })

  test.each([
    ['pass', pass],
    ['block', block],
    ['a lone surrogate', { ...pass, record: { ...record, path: '/\ud800' } }],
    ['a large record', { ...pass, record: { ...record, path: '/ü'.repeat(60_000) } }],
  ] as const)('the record comes with every decision: %s', (_says, decision) => {
    const json = decoded(decision).dynamic_metadata.fields.weir.stringValue
    expect(JSON.parse(json)).toEqual(decision.record)
  })
})
