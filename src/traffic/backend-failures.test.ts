// Requests to backends and their failures, counted from what events say.
import { expect, test } from '@jest/globals'
import { type BackendEvent, countBackends } from './backend-failures.ts'

const event = (cluster: unknown, status?: number, tags: unknown = []): BackendEvent => ({
  upstream_cluster: cluster,
  upstream_status: status === undefined ? [] : [status],
  tags,
})

test('by service and reason, most frequent first, whatever template or transport reached it', () => {
  const count = countBackends()
  for (const one of [
    event('be|app|http', 200),
    event('be|app|https@edge', 404),
    event('be|app|http', 503),
    event('be|app|http', 503),
    event('be|app|http', undefined, ['all', 'origin-error:upstream_reset_before_response_started']),
    event('be|other|8090|http', 200),
  ])
    count.add(one)
  expect([...count.result()]).toEqual([
    [
      'app',
      {
        requests: 5,
        failures: [
          { reason: 'answered 503', count: 2 },
          { reason: 'upstream reset before response started', count: 1 },
        ],
      },
    ],
    ['other', { requests: 1, failures: [] }],
  ])
})

test.each([
  ['refused before a backend was asked', event('', undefined)],
  ['an own cluster of Weir', event('weir_filter', 503)],
  ['of another version', {}],
  ['with other types', event(7, 503, 'origin-error:x')],
])('no request to a backend: %s', (_says, one) => {
  const count = countBackends()
  count.add(one)
  expect(count.result().size).toBe(0)
})
