// Golden files: a folder is a test. `in/` holds documents, `out.yaml` the Envoy resources that they yield.
// UPDATE_GOLDEN=1 writes the files anew; the review is the diff.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { dump } from 'js-yaml'
import { type Snapshot, assertConsistent, buildSnapshot, defaultXdsSettings } from '#envoy'
import { buildPolicy, formatProblem } from '#config'

const folder = new URL('golden/xds/', import.meta.url)
const shipped = new URL('../config/', import.meta.url)
const updates = process.env['UPDATE_GOLDEN'] === '1'

type Documents = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>

const read = (file: URL): Documents[string] => JSON.parse(readFileSync(file, 'utf8')) as Documents[string]

/** What every configuration has and no case is about. */
const base: Documents = Object.fromEntries(
  ['acl-profiles', 'actions', 'content-filter-profiles'].map((name) => [
    name,
    read(new URL(`${name}.json`, shipped)),
  ]),
)

function documentsOf(name: string): Documents {
  const inputs = new URL(`${name}/in/`, folder)
  const own = readdirSync(inputs).map(
    (file) => [file.replace(/\.json$/, ''), read(new URL(file, inputs))] as const,
  )
  return { ...base, ...Object.fromEntries(own) }
}

const listener = { protocol: 'http', address: '0.0.0.0' } as const

function snapshotOf(name: string): Snapshot {
  const built = buildPolicy(documentsOf(name), {})
  if (!built.ok) throw new Error(built.problems.map(formatProblem).join('\n'))
  return buildSnapshot(built.policy, {
    ...defaultXdsSettings,
    listeners: [
      { ...listener, id: 'http', port: 8080, publicPort: 80 },
      ...(name === 'backends' ? [{ ...listener, id: 'alt', port: 8090, publicPort: 8090 }] : []),
    ],
  })
}

const toYaml = (snapshot: Snapshot): string =>
  dump(
    Object.fromEntries(
      [...snapshot.resources].map(([url, list]) => [
        url.slice(url.lastIndexOf('.') + 1),
        list.map(({ json }) => json),
      ]),
    ),
    { noRefs: true, lineWidth: 120 },
  )

const cases = readdirSync(folder, { withFileTypes: true }).filter((one) => one.isDirectory())

describe('documents yield Envoy resources', () => {
  for (const { name } of cases)
    test(name, () => {
      const snapshot = snapshotOf(name)
      assertConsistent(snapshot)
      const file = new URL(`${name}/out.yaml`, folder)
      const made = toYaml(snapshot)
      if (updates) writeFileSync(file, made)
      expect(existsSync(file)).toBe(true)
      expect(made).toBe(readFileSync(file, 'utf8'))
    })

  test('all cases were found', () => {
    expect(cases.length).toBeGreaterThanOrEqual(5)
  })
})
