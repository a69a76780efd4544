// Keeping revocation lists over time (spec control-plane 1.1, E38): when they are fetched, what stays in force when that
// fails, and what a restart finds. The clock stands still until it is moved; what is fetched is what the test lays out.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  type Policy,
  type Revocations,
  buildPolicy,
  decodeRevocations,
  formatProblem,
  readBundle,
} from '#config'
import { type CrlKeeper, createCrlKeeper } from '#control'
import { manualClock } from '#platform'
import type { Timers } from '../src/control/crl/keeper.ts'
import { makeCa, makeList } from './support/crl.ts'

const ca = makeCa({ name: 'Clients CA' })
const other = makeCa({ name: 'Other CA' })
const caId = readBundle(ca.chain)[0]?.id ?? ''
const otherId = readBundle(other.chain)[0]?.id ?? ''

const hour = 3_600_000
const interval = 8 * hour
const start = Date.now()

type Group = {
  readonly urls?: readonly string[]
  readonly active?: boolean
  readonly mode?: string
  readonly chain?: string
  readonly caUrls?: readonly string[]
}

function policyOf(...groups: readonly Group[]): Policy {
  const built = buildPolicy(
    {
      certificates: groups.map(({ chain = ca.chain, caUrls = [] }, i) => ({
        id: `ca${String(i)}`,
        side: 'clientCA',
        cert_body: chain,
        crl: caUrls,
      })),
      'backend-services': [
        { id: 'app', http11: true, least_conn: false, back_hosts: [{ host: '192.0.2.1' }] },
      ],
      'security-policies': [
        {
          id: '__default__',
          map: [{ id: '__default_entry__', name: 'd', match: '/', backend_service: 'app' }],
        },
      ],
      'server-groups': groups.map(({ urls = [], active = true, mode = 'on' }, i) => ({
        id: `g${String(i)}`,
        server_names: [`g${String(i)}.example`],
        client_certificate: `ca${String(i)}`,
        client_certificate_mode: mode,
        client_certificate_crl_active: active,
        client_certificate_crl: urls,
      })),
    },
    {},
  )
  if (!built.ok) throw new Error(built.problems.map(formatProblem).join('\n'))
  return built.policy
}

/** Timers that run when the clock is moved past them. */
function manualTimers(clock: ReturnType<typeof manualClock>) {
  let waiting: { readonly at: number; readonly run: () => void }[] = []
  return {
    after(ms: number, run: () => void) {
      const timer = { at: clock.now() + ms, run }
      waiting.push(timer)
      return { cancel: () => void (waiting = waiting.filter((one) => one !== timer)) }
    },
    /** Milliseconds until each, sorted. */
    pauses: () => waiting.map(({ at }) => at - clock.now()).toSorted((a, b) => a - b),
    runDue() {
      const due = waiting.filter(({ at }) => at <= clock.now())
      waiting = waiting.filter(({ at }) => at > clock.now())
      for (const { run } of due) run()
    },
  } satisfies Timers & { pauses: () => readonly number[]; runDue: () => void }
}

/** Lets everything that waits for nothing but other promises happen. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

describe('revocation lists', () => {
  let folder: string
  let file: string
  let clock: ReturnType<typeof manualClock>
  let timers: ReturnType<typeof manualTimers>
  let keeper: CrlKeeper
  /** What each URL answers at the moment; a text is a reason to fail. */
  let served: Map<string, Buffer | string>
  let fetched: string[]
  let changes: Revocations[]
  let log: { readonly level: string; readonly fields: object; readonly message: string }[]

  function open(): CrlKeeper {
    timers = manualTimers(clock)
    keeper = createCrlKeeper({
      file,
      clock,
      timers,
      random: () => 0.5,
      intervalMs: interval,
      fetch(url, options) {
        fetched.push(url)
        expect(options).toEqual({ signed: true })
        const answer = served.get(url) ?? 'it was answered with status 404'
        return Promise.resolve(
          typeof answer === 'string' ? { ok: false, reason: answer } : { ok: true, bytes: answer },
        )
      },
      log: {
        info: (fields: object, message: string) => void log.push({ level: 'info', fields, message }),
        warn: (fields: object, message: string) => void log.push({ level: 'warn', fields, message }),
      },
      onChange: (revocations) => void changes.push(revocations),
    })
    return keeper
  }
  async function pass(ms: number): Promise<void> {
    clock.advance(ms)
    timers.runDue()
    await settle()
  }
  async function follow(policy: Policy): Promise<ReturnType<CrlKeeper['follow']>> {
    const unlisted = keeper.follow(policy)
    await pass(0)
    return unlisted
  }
  const serialsOf = (id: string): readonly string[] | undefined => {
    const listed = keeper.current().cas.get(id)
    return listed && [...listed.serials]
  }
  const warnings = (): readonly string[] =>
    log.filter(({ level }) => level === 'warn').map(({ message }) => message)
  const listAt = (ms: number, ...revoked: readonly string[]): Buffer =>
    makeList({ issuer: ca, revoked, thisUpdate: new Date(start + ms) })

  const url = 'http://crl.example/a'
  const second = 'http://crl.example/b'

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'weir-crl-'))
    file = join(folder, 'data', 'revocations.json')
    clock = manualClock(start)
    served = new Map()
    fetched = []
    changes = []
    log = []
    open()
  })
  afterEach(async () => {
    await keeper.stop()
    rmSync(folder, { recursive: true })
  })

  test('are fetched when a policy names them, and then every eight hours', async () => {
    served.set(url, listAt(0, '0a'))
    expect(await follow(policyOf({ urls: [url] }))).toEqual([{ group: 'g0', ca: 'CN=Clients CA' }])
    expect(fetched).toEqual([url])
    expect(serialsOf(caId)).toEqual(['A'])
    expect(timers.pauses()).toEqual([interval])
    served.set(url, listAt(hour, '0a', '0b'))
    await pass(interval - 1)
    expect(fetched).toHaveLength(1)
    await pass(1)
    expect(fetched).toHaveLength(2)
    expect(serialsOf(caId)).toEqual(['A', 'B'])
    expect(changes).toHaveLength(2)
    expect(keeper.follow(policyOf({ urls: [url] }))).toEqual([])
  })

  test('are told of only when something changes', async () => {
    served.set(url, listAt(0, '0a'))
    await follow(policyOf({ urls: [url] }))
    served.set(url, listAt(hour, '0a'))
    await pass(interval)
    expect(fetched).toHaveLength(2)
    expect(changes).toHaveLength(1)
  })

  test('that a third fetch does not get stay in force, and the next attempt comes as always (E38)', async () => {
    served.set(url, listAt(0, '0a'))
    await follow(policyOf({ urls: [url] }))
    await pass(interval)
    served.set(url, 'the connection failed (ECONNREFUSED)')
    await pass(interval)
    expect(fetched).toHaveLength(3)
    expect(serialsOf(caId)).toEqual(['A'])
    expect(keeper.stats()).toEqual({ lists: 1, failures: 1 })
    expect(log.at(-1)).toEqual({
      level: 'warn',
      message: 'a revocation list could not be renewed; the last good one stays in force',
      fields: { url, reason: 'the connection failed (ECONNREFUSED)', nextInMs: interval },
    })
    expect(timers.pauses()).toEqual([interval])
    served.set(url, listAt(interval))
    await pass(interval)
    expect(serialsOf(caId)).toEqual([])
  })

  test.each([
    ['a forged one', () => makeList({ issuer: ca, signedBy: other })],
    ['an older one', () => listAt(-hour)],
    ['a page', () => Buffer.from('<html>')],
  ])('are not replaced by %s', async (_what, bytes) => {
    served.set(url, listAt(0, '0a'))
    await follow(policyOf({ urls: [url] }))
    served.set(url, bytes())
    await pass(interval)
    expect(serialsOf(caId)).toEqual(['A'])
    expect(keeper.stats().failures).toBe(1)
  })

  test('past their nextUpdate stay in force', async () => {
    const old = { thisUpdate: new Date(start - 2 * hour), nextUpdate: new Date(start - hour) }
    served.set(url, makeList({ issuer: ca, revoked: ['0a'], ...old }))
    await follow(policyOf({ urls: [url] }))
    expect(serialsOf(caId)).toEqual(['A'])
    expect(warnings()).toEqual(['a revocation list is past its nextUpdate; it stays in force'])
  })

  test('that never came are asked for more often: everybody is refused until then', async () => {
    await follow(policyOf({ urls: [url] }))
    const minute = 60_000
    const pauses: number[] = []
    for (let i = 0; i < 12; i++) {
      const [pause = 0] = timers.pauses()
      pauses.push(pause / minute)
      await pass(pause)
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 480, 480, 480])
    expect(warnings()[0]).toBe('a revocation list could not be fetched')
    served.set(url, listAt(0))
    await pass(interval)
    expect(serialsOf(caId)).toEqual([])
    expect(timers.pauses()).toEqual([interval])
  })

  test('are all fetched anew when the list of URLs changes', async () => {
    served.set(url, listAt(0, '0a')).set(second, listAt(0, '0b'))
    await follow(policyOf({ urls: [url] }))
    await follow(policyOf({ urls: [url] }))
    expect(fetched).toEqual([url])
    await follow(policyOf({ urls: [url, second] }))
    expect(fetched).toEqual([url, url, second])
    expect(serialsOf(caId)?.toSorted()).toEqual(['A', 'B'])
    await follow(policyOf({ urls: [second] }))
    expect(serialsOf(caId)).toEqual(['B'])
    expect(timers.pauses()).toEqual([interval])
  })

  test('of the site and of its CA count together, one URL of several sites is fetched once', async () => {
    served.set(url, listAt(0, '0a')).set(second, makeList({ issuer: other, revoked: ['0f'] }))
    await follow(
      policyOf(
        { urls: [url], caUrls: [second], chain: ca.chain + other.chain },
        { urls: [second, url], chain: ca.chain + other.chain },
      ),
    )
    expect(fetched.toSorted()).toEqual([url, second])
    expect([serialsOf(caId), serialsOf(otherId)]).toEqual([['A'], ['F']])
  })

  test.each([
    ['revocation lists are not asked for', { urls: [url], active: false }],
    ['no certificates are asked for', { urls: [url], mode: 'off' }],
    ['another CA is asked for', { urls: [url], chain: other.chain }],
  ])('are gone at once when %s', async (_what, after) => {
    served.set(url, listAt(0, '0a'))
    await follow(policyOf({ urls: [url] }))
    keeper.follow(policyOf(after))
    expect(keeper.current().cas.size).toBe(0)
    expect(changes).toHaveLength(2)
  })

  test('survive a restart, and are not fetched again before their time', async () => {
    served.set(url, listAt(0, '0a'))
    await follow(policyOf({ urls: [url] }))
    await keeper.stop()
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(decodeRevocations(readFileSync(file, 'utf8'))).toEqual(keeper.current())
    clock.advance(3 * hour)
    open()
    expect(serialsOf(caId)).toEqual(['A'])
    expect(await follow(policyOf({ urls: [url] }))).toEqual([])
    expect(fetched).toHaveLength(1)
    expect(timers.pauses()).toEqual([interval - 3 * hour])
    clock.advance(-3 * hour)
    await pass(interval)
    expect(fetched).toHaveLength(2)
    // What was in force is protected against older ones as before.
    served.set(url, listAt(-hour))
    await pass(interval)
    expect(serialsOf(caId)).toEqual(['A'])
  })

  test.each([
    ['cut off', (text: string) => text.slice(0, -20)],
    ['of another kind', () => '{"format":1,"lists":[{"ca":"x","complete":true,"serials":["1"]}]}'],
    ['of a later version', (text: string) => text.replace('"format":1', '"format":2')],
  ])('are fetched anew when the file is %s', async (_what, spoil) => {
    served.set(url, listAt(0, '0a'))
    await follow(policyOf({ urls: [url] }))
    await keeper.stop()
    writeFileSync(file, spoil(readFileSync(file, 'utf8')))
    open()
    expect(keeper.current().cas.size).toBe(0)
    expect(warnings()).toEqual(['the kept revocation lists are left out: the file is not as Weir wrote it'])
    await follow(policyOf({ urls: [url] }))
    expect(serialsOf(caId)).toEqual(['A'])
  })

  test('leave no file where no site asks for them', async () => {
    await follow(policyOf({ urls: [url], active: false }))
    await keeper.stop()
    expect(existsSync(file)).toBe(false)
  })

  test('no more than four are fetched at a time', async () => {
    let running = 0
    let most = 0
    const waiting: (() => void)[] = []
    await keeper.stop()
    keeper = createCrlKeeper({
      file,
      clock,
      timers,
      intervalMs: interval,
      log: { info: () => undefined, warn: () => undefined },
      onChange: () => undefined,
      async fetch() {
        most = Math.max(most, ++running)
        await new Promise<void>((resolve) => waiting.push(resolve))
        running--
        return { ok: false, reason: 'no' }
      },
    })
    await follow(policyOf({ urls: Array.from({ length: 10 }, (_, i) => `${url}${String(i)}`) }))
    while (waiting.length > 0) {
      for (const go of waiting.splice(0)) go()
      await settle()
    }
    expect(most).toBe(4)
    expect(keeper.stats().failures).toBe(10)
  })
})
