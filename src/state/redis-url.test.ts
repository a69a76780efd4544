// The one setting that says where Redis is.
import { describe, expect, test } from '@jest/globals'
import { parseRedisUrl } from './redis-url.ts'

const plain = { cluster: false, tls: false, username: undefined, password: undefined, db: 0 }

describe('Redis address', () => {
  test.each([
    ['redis://cache', { ...plain, nodes: [{ host: 'cache', port: 6379 }] }],
    ['redis://127.0.0.1:7000/2', { ...plain, nodes: [{ host: '127.0.0.1', port: 7000 }], db: 2 }],
    ['redis://cache/', { ...plain, nodes: [{ host: 'cache', port: 6379 }] }],
    ['redis://[::1]:7000', { ...plain, nodes: [{ host: '::1', port: 7000 }] }],
    [
      'rediss://:s%40cret@cache',
      { ...plain, tls: true, password: 's@cret', nodes: [{ host: 'cache', port: 6379 }] },
    ],
    [
      'redis://weir:a:b@c%@cache',
      { ...plain, username: 'weir', password: 'a:b@c%', nodes: [{ host: 'cache', port: 6379 }] },
    ],
    [
      'redis-cluster://a:1,b:2, c',
      {
        ...plain,
        cluster: true,
        nodes: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
          { host: 'c', port: 6379 },
        ],
      },
    ],
    [
      'rediss-cluster://u:p@a:1',
      { ...plain, cluster: true, tls: true, username: 'u', password: 'p', nodes: [{ host: 'a', port: 1 }] },
    ],
  ])('%s is understood', (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address)
  })
  test.each([
    ['http://cache', 'not understood'],
    ['cache:6379', 'not understood'],
    ['redis://', 'not understood'],
    ['redis://a:1,b:2', 'several hosts without "-cluster"'],
    ['redis://a:99999', '"a:99999" is not a host and port'],
    ['redis://a/x', '"x" is not the number of a database'],
    ['redis-cluster://a/1', 'a cluster has only database 0'],
    ['redis-cluster://a,,b', '"" is not a host and port'],
  ])('%s is refused with the reason and what to write', (url, why) => {
    expect(() => parseRedisUrl(url)).toThrow(why)
    expect(() => parseRedisUrl(url)).toThrow('write redis://')
  })
  test('a password does not appear in the message', () => {
    expect(() => parseRedisUrl('redis://u:secret@a/x')).toThrow('redis://…@a/x')
  })
})
