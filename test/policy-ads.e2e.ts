// Filters apart from the control plane: one truth for all of them over ADS, and what goes on when a part is away. Each test
// begins where the one before ended.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Apart, type FilterPart, type Part, startApart } from './support/apart.ts'
import type { Envoy } from './support/envoy.ts'
import { send } from './support/http.ts'
import { editConfig, waitFor } from './support/weir.ts'

let weir: Apart
let control: Part
let filters: FilterPart[]
let envoy: Envoy
let port: number

beforeAll(async () => {
  weir = await startApart({ WEIR_XDS_FILTERS_LEAVE: '2s' })
  control = await weir.startControl()
  filters = await Promise.all([weir.startFilter(0), weir.startFilter(1)])
  await Promise.all(filters.map((filter) => filter.logged('policy in force')))
  envoy = await weir.startEnvoy()
  port = await envoy.listenerPort('http')
})
afterAll(async () => {
  await weir.stop()
})

const get = async (path: string): Promise<number> => (await send({ port, host: 'localhost', path })).status

/** From now on requests for this path are refused. */
const refuse = (path: string): void =>
  editConfig(weir.config, 'global-filters', (entries) => {
    entries.push({
      id: `no-${path.slice(1)}`,
      name: `no ${path}`,
      active: true,
      source: 'self-managed',
      mdate: '2026-11-01T00:00:00Z',
      tags: ['refused'],
      action: 'action-global-filter-block',
      rule: ['path', `^${path}$`],
    })
  })

const until = (what: string, isTrue: () => Promise<boolean>): Promise<true> =>
  waitFor(what, async () => ((await isTrue()) ? true : undefined))

const revisions = (): Promise<readonly (string | undefined)[]> =>
  Promise.all(filters.map((filter) => filter.revision()))

/** Ports of the filters that Envoy was told of. */
const known = async (): Promise<readonly number[]> => {
  const lines = (await envoy.get('/clusters')).split('\n')
  const ports = lines.map((line) => /^weir_filter::127\.0\.0\.1:(\d+)::/.exec(line)?.[1])
  return [...new Set(ports.filter((one) => one !== undefined).map(Number))].toSorted((a, b) => a - b)
}

const portsOf = (...some: readonly FilterPart[]): readonly number[] =>
  some.map((filter) => filter.port).toSorted((a, b) => a - b)

const decisions = (): Promise<readonly number[]> =>
  Promise.all(filters.map(async (filter) => (await filter.metric('weir_decision_seconds_count')) ?? 0))

describe('two filters of one control plane', () => {
  test('run what it published, and Envoy asks both', async () => {
    const published = control.log().find(({ msg }) => msg === 'published')
    expect(await revisions()).toEqual([published?.['revision'], published?.['revision']])
    expect(await known()).toEqual(portsOf(...filters))
    await until('both are asked', async () => {
      expect(await get('/')).toBe(200)
      return (await decisions()).every((count) => count > 0)
    })
  })

  test('get a changed folder, both the same', async () => {
    expect(await get('/closed')).toBe(200)
    const [before] = await revisions()
    refuse('/closed')
    await until('another policy is in force', async () => (await revisions()).every((one) => one !== before))
    const [first, second] = await revisions()
    expect(first).toBe(second)
    const counts = await decisions()
    await until('both are asked', async () => {
      expect(await get('/closed')).toBe(470)
      return (await decisions()).every((count, i) => count > (counts[i] ?? 0))
    })
  })

  test('and when one is killed the other answers alone, and the dead one leaves the list', async () => {
    const [first, second] = filters
    if (first === undefined || second === undefined) throw new Error('there are two filters')
    await second.end()
    await until('requests pass', async () => (await get('/')) === 200)
    await until('it left', async () => (await known()).length === 1)
    expect(await known()).toEqual(portsOf(first))
    expect(await get('/closed')).toBe(470)
    filters = [first, await weir.startFilter(1)]
    await until('it is back', async () => (await known()).length === 2)
  })
})

describe('without the control plane', () => {
  test('requests go on, as before', async () => {
    await control.end()
    for (const filter of filters) await filter.logged('lost the control plane; what runs goes on')
    expect(await filters[0]?.metric('weir_control_connected')).toBe(0)
    for (let n = 0; n < 20; n++) expect([await get('/'), await get('/closed')]).toEqual([200, 470])
  })

  test('a filter that starts serves the policy that it kept', async () => {
    await filters[1]?.end()
    const again = await weir.startFilter(1)
    filters = [...filters.slice(0, 1), again]
    expect(again.log().map(({ msg }) => msg)).toContain('the kept policy is in force')
    const [first, second] = await revisions()
    expect(second).toBe(first)
    await until('it is asked', async () => {
      await get('/')
      return ((await again.metric('weir_decision_seconds_count')) ?? 0) > 0
    })
    expect(await get('/closed')).toBe(470)
  })

  test('once it is back, changes flow again, and Envoy was never left without filters', async () => {
    control = await weir.startControl()
    await until('all are connected', async () => {
      const connected = await Promise.all(filters.map((filter) => filter.metric('weir_control_connected')))
      return connected.every((one) => one === 1)
    })
    refuse('/closed-too')
    await until('the new policy is in force', async () => (await get('/closed-too')) === 470)
    const [first, second] = await revisions()
    expect(second).toBe(first)
    expect(await known()).toEqual(portsOf(...filters))
  })
})
