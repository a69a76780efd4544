// One plaintext listener serves all groups: what it gets when their templates differ (spec control-plane 2.3).
import { describe, expect, test } from '@jest/globals'
import * as site from './sites.fixture.ts'
import { type Connection, mergeTemplates } from './connection.ts'

type Template = Parameters<typeof site.template>[0]

describe('templates that share a listener', () => {
  const rows: readonly (readonly [
    says: string,
    one: Template,
    two: Template,
    merged: Partial<Connection>,
  ])[] = [
    ['the largest number wins', { sendTimeoutS: 9 }, { sendTimeoutS: 20 }, { sendTimeoutS: 20 }],
    [
      'a request time-out that is off wins',
      { requestTimeoutS: 60 },
      { requestTimeoutS: 0 },
      { requestTimeoutS: 0 },
    ],
    [
      'no keep-alive does not win',
      { keepaliveTimeoutS: 0 },
      { keepaliveTimeoutS: 60 },
      { keepaliveTimeoutS: 60 },
    ],
    [
      'the strictest handling of slashes wins',
      { escapedSlashes: 'keep' },
      { escapedSlashes: 'forward' },
      { escapedSlashes: 'forward' },
    ],
    [
      'reject is stricter than redirect',
      { escapedSlashes: 'redirect' },
      { escapedSlashes: 'reject' },
      { escapedSlashes: 'reject' },
    ],
    [
      'slashes are merged when one wants it',
      { mergeSlashes: false },
      { mergeSlashes: true },
      { mergeSlashes: true },
    ],
    [
      'header sizes are rounded up and bounded',
      { maxRequestHeadersKb: 10000 },
      { maxRequestHeadersKb: 0.5 },
      { maxRequestHeadersKb: 8192 },
    ],
    [
      'groups that agree on headers in another case agree',
      { clientAddressHeaders: ['True-Client-IP'] },
      { clientAddressHeaders: ['true-client-ip'] },
      { detectionHeaders: ['true-client-ip'], clientAddressHeaders: ['true-client-ip'] },
    ],
    [
      'groups that disagree on headers leave Envoy X-Forwarded-For; aliases of all are removed',
      { clientAddressHeaders: ['True-Client-IP'] },
      {},
      { detectionHeaders: ['x-forwarded-for'], clientAddressHeaders: ['true-client-ip', 'x-forwarded-for'] },
    ],
  ]
  for (const [says, one, two, merged] of rows)
    test(says, () => expect(mergeTemplates([site.template(one), site.template(two)])).toMatchObject(merged))
})
