import { beforeEach, describe, expect, test } from '@jest/globals'
import { buildPolicy } from '#config'
import type { PublishResult, Snapshot } from '#envoy'
import { type Publication, type Publications, createPublications } from './publications.ts'

function publication(revision: string): Publication {
  const built = buildPolicy({})
  if (!built.ok) throw new Error('a configuration without documents is one')
  return { policy: { ...built.policy, revision }, documents: [], maskingSeed: undefined }
}

/** What is sent and not answered yet, oldest first. */
let open: { readonly version: string; answer(ok: boolean, nodes?: PublishResult['nodes']): Promise<void> }[]
let offered: string | undefined
let lists: string
let possible: (readonly string[])[]
let log: (readonly [message: string, revision: unknown])[]
let publications: Publications
let outcomes: (readonly [revision: string, outcome: string])[]
let isBroken: boolean

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Nodes that do with a snapshot what the test says. */
const nodes = {
  publish({ version }: Snapshot): Promise<PublishResult> {
    const before = offered
    offered = version
    return new Promise((resolve) => {
      open.push({
        version,
        async answer(ok, results = []) {
          if (!ok) offered = before ?? version
          resolve({ snapshot: version, ok, nodes: results })
          await settled()
        },
      })
    })
  },
  status: () => ({ snapshot: offered, nodes: [] }),
}

const write = (fields: object, message: string): void =>
  void log.push([message, 'revision' in fields ? fields.revision : undefined])

beforeEach(() => {
  open = []
  offered = undefined
  lists = 'no lists'
  possible = []
  log = []
  outcomes = []
  isBroken = false
  publications = createPublications({
    ads: nodes,
    build({ policy: { revision } }) {
      if (revision === 'impossible') throw new Error('no such patch')
      return { version: `${revision}, ${lists}`, resources: new Map(), staticClusters: [] }
    },
    onOutcome: ({ policy }, outcome) => void outcomes.push([policy.revision, outcome]),
    onChange(those) {
      if (isBroken) throw new Error('whoever is told fails')
      possible.push(those.map(({ policy }) => policy.revision))
    },
    log: { info: write, warn: write, error: write },
  })
})

/** The one publish that goes on. */
async function going(): Promise<(typeof open)[number]> {
  await settled()
  const [one, ...others] = open.splice(0)
  if (one === undefined || others.length > 0) throw new Error(`${String(others.length)} more than one`)
  return one
}

async function answer(ok: boolean): Promise<string> {
  const one = await going()
  await one.answer(ok)
  return one.version
}

test('new revocation lists go out with the policy in force, not with the one that was refused', async () => {
  publications.put(publication('good'))
  expect(await answer(true)).toBe('good, no lists')
  publications.put(publication('bad'))
  expect(await answer(false)).toBe('bad, no lists')
  lists = 'a list'
  publications.again()
  expect(await answer(true)).toBe('good, a list')
  expect(possible).toEqual([['good'], ['good'], ['good', 'bad'], ['good']])
  expect(outcomes).toEqual([
    ['good', 'in force'],
    ['bad', 'refused'],
  ])
  expect(publications.inForce?.policy.revision).toBe('good')
  expect(log.map(([message, revision]) => [message.split(':', 1)[0], revision])).toEqual([
    ['published', 'good'],
    ['not published', 'bad'],
    ['published', 'good'],
  ])
})

test('lists that change during a publish wait for what becomes of it', async () => {
  publications.put(publication('old'))
  await answer(true)
  publications.put(publication('new'))
  const first = await going()
  lists = 'a list'
  publications.again()
  await settled()
  expect(open).toEqual([])
  await first.answer(true)
  expect(await answer(true)).toBe('new, a list')
})

test('what cannot be made changes nothing', async () => {
  publications.put(publication('good'))
  await answer(true)
  expect(() => publications.put(publication('impossible'))).toThrow('no such patch')
  publications.again()
  expect(await answer(true)).toBe('good, no lists')
})

test('a first policy that is refused is offered, because there is no other', async () => {
  publications.put(publication('first'))
  await answer(false)
  publications.again()
  expect(await answer(true)).toBe('first, no lists')
})

test('behind one that was kept from before a start, nothing of a refused policy is published again', async () => {
  offered = 'kept'
  publications.put(publication('first'))
  await answer(false)
  publications.again()
  await settled()
  expect({ open, offered, possible }).toEqual({ open: [], offered: 'kept', possible: [['first']] })
})

test('who fails on being told what became of a publish does not keep back the next one', async () => {
  publications.put(publication('one'))
  await settled()
  isBroken = true
  await open[0]?.answer(true)
  isBroken = false
  publications.put(publication('two'))
  await settled()
  expect(open.map(({ version }) => version)).toEqual(['one, no lists', 'two, no lists'])
  expect(log).toContainEqual(['a publish was not concluded', undefined])
})

describe('a refusal says what to do', () => {
  const remedy = 'No template patches what Envoy gets, so this is a defect of Weir'
  const refusal = {
    state: 'nacked',
    type: 'route',
    resources: ['http|plain'],
    message: 'missing ): (',
  } as const

  test('of an Envoy, when the publish is over', async () => {
    publications.put(publication('bad'))
    const one = await going()
    expect(publications.refused({ node: 'envoy-0', role: 'envoy' })).toContain(remedy)
    expect(log).toEqual([])
    await one.answer(false, [{ id: 'envoy-0', role: 'envoy', ...refusal }])
    expect(log).toEqual([
      [expect.stringContaining(`a node refused it, and what ran before is back. ${remedy}`), 'bad'],
    ])
  })

  test('of an Envoy that came later, at once', async () => {
    publications.put(publication('good'))
    await answer(true)
    publications.refused({ node: 'envoy-1', role: 'envoy' })
    expect(log.at(-1)).toEqual([
      expect.stringContaining(`an Envoy refused what it is offered. ${remedy}`),
      undefined,
    ])
  })

  test('of a filter in its own words alone', async () => {
    publications.put(publication('bad'))
    const one = await going()
    expect(publications.refused({ node: 'filter-1', role: 'filter' })).toBeUndefined()
    await one.answer(false, [{ id: 'filter-1', role: 'filter', ...refusal, type: 'policy' }])
    expect(log).toEqual([['not published: a node refused it, and what ran before is back', 'bad']])
  })
})
