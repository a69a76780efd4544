// The operations as Redis runs them: one Lua script each, atomic, on keys that share a hash tag and therefore a slot.
// A ban is set by the script that counts, so no other process can slip through between the two.
import { createHash, hash } from 'node:crypto'
import { boundedKey } from './key.ts'
import { maxMembers } from './rules.ts'
import type { StateOperation } from './state.ts'

export type Script = { readonly source: string; readonly sha: string }

/** One script with its keys and arguments, ready to be sent. */
export type Command = {
  readonly script: Script
  readonly keys: readonly string[]
  readonly args: readonly (string | number)[]
}

const script = (source: string): Script => ({ source, sha: createHash('sha1').update(source).digest('hex') })

// KEYS counter, ban; ARGV window in ms, and with a ban: above, its length in ms.
// The expiry is set with the first event only: the window is fixed.
const count = script(`
if redis.call('EXISTS', KEYS[2]) == 1 then return -1 end
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
if ARGV[2] and count > tonumber(ARGV[2]) then redis.call('SET', KEYS[2], 1, 'PX', ARGV[3]) end
return count`)

// KEYS set, ban; ARGV window in ms, value, most members, and with a ban: above, its length in ms.
const distinct = script(`
if redis.call('EXISTS', KEYS[2]) == 1 then return -1 end
local size = redis.call('SCARD', KEYS[1])
if size < tonumber(ARGV[3]) then
  local added = redis.call('SADD', KEYS[1], ARGV[2])
  if size == 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
  size = size + added
end
if ARGV[4] and size > tonumber(ARGV[4]) then redis.call('SET', KEYS[2], 1, 'PX', ARGV[5]) end
return size`)

// KEYS ban.
const banned = script(`return redis.call('EXISTS', KEYS[1])`)

// KEYS progress; ARGV window in ms, number of steps, then the steps matched.
const sequence = script(`
local progress = tonumber(redis.call('GET', KEYS[1]) or 0)
for i = 3, #ARGV do
  if tonumber(ARGV[i]) == progress then
    if progress == tonumber(ARGV[2]) - 1 then return 1 end
    if progress == 0 then redis.call('SET', KEYS[1], 1, 'PX', ARGV[1]) else redis.call('INCR', KEYS[1]) end
    return 0
  end
end
return 0`)

// KEYS bucket: excess in thousandths of a request and when it last accepted, in ms; ARGV rate per second, burst.
// The time is that of Redis, so that processes on different hosts agree.
const bucket = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local rate = tonumber(ARGV[1])
local known = redis.call('GET', KEYS[1])
local excess = 0
if known then
  local before, at = string.match(known, '^(%S+) (%S+)$')
  excess = math.max(0, tonumber(before) - rate * math.max(0, now - tonumber(at)) + 1000)
end
if excess > tonumber(ARGV[2]) * 1000 then return 0 end
local keep = 86400000
if rate > 0 then keep = math.min(keep, math.max(1, math.ceil((excess + 1000) / rate))) end
redis.call('SET', KEYS[1], string.format('%.17g %.0f', excess, now), 'PX', string.format('%.0f', keep))
return 1`)

/** A hash tag ends at the first `}`; one that begins with it would be none, and the keys would part. */
function tagOf(key: string): string {
  const bounded = boundedKey(key)
  return bounded === '' || bounded.startsWith('}') ? `#${hash('sha256', bounded, 'base64url')}` : bounded
}

/** PEXPIRE with 0 or a fraction is an error or a deletion; the interface promises whole milliseconds from 1. */
const milliseconds = (ms: number): number => Math.max(1, Math.ceil(ms))

/** What to send for an operation; the first key decides the node. `prefix` must not hold braces. */
export function commandOf(operation: StateOperation, prefix: string): Command {
  const base = `${prefix}{${tagOf(operation.key)}}:`
  const ban = `${base}ban`
  switch (operation.kind) {
    case 'count': {
      const args = [milliseconds(operation.windowMs), ...banOf(operation)]
      return { script: count, keys: [`${base}count`, ban], args }
    }
    case 'distinct': {
      const { windowMs, value } = operation
      const args = [milliseconds(windowMs), boundedKey(value), maxMembers, ...banOf(operation)]
      return { script: distinct, keys: [`${base}distinct`, ban], args }
    }
    case 'banned':
      return { script: banned, keys: [ban], args: [] }
    case 'sequence': {
      const { windowMs, steps, matched } = operation
      return {
        script: sequence,
        keys: [`${base}sequence`],
        args: [milliseconds(windowMs), steps, ...matched],
      }
    }
    case 'bucket':
      return { script: bucket, keys: [`${base}bucket`], args: [operation.ratePerSecond, operation.burst] }
    default:
      return operation satisfies never
  }
}

const banOf = ({
  ban,
}: Extract<StateOperation, { readonly kind: 'count' | 'distinct' }>): readonly number[] =>
  ban === undefined ? [] : [ban.above, milliseconds(ban.forMs)]

/** Counts on a key of its own: shows that a node answers, is writable and serves the slot of `key`. */
export function probeOf(key: string): Command {
  const base = key.slice(0, key.lastIndexOf(':') + 1)
  return { script: count, keys: [`${base}probe`, `${base}probe-ban`], args: [1000] }
}
