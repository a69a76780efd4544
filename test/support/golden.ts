// The golden folders: their documents, the snapshot that these yield, and how it is written down (test/golden/README.md).
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dump } from 'js-yaml'
import { buildPolicy, formatProblem } from '#config'
import { type ListenerSettings, type Snapshot, buildSnapshot, defaultXdsSettings } from '#envoy'
import { type Fields, type Value, changesByName } from './golden-changes.ts'

const root = new URL('../golden/', import.meta.url)
const folders = new URL('xds/', root)
const certificates = new URL('certificates/', root)
const shipped = new URL('../../config/', import.meta.url)

const firstFolder = 'one-site'

export const goldenFolders = (): readonly string[] =>
  readdirSync(folders, { withFileTypes: true })
    .filter((one) => one.isDirectory())
    .map(({ name }) => name)
    .toSorted()

export const outputFile = (name: string): URL => new URL(`${name}/out.yaml`, folders)

type Entry = { readonly id: string; readonly [field: string]: unknown }
type Documents = Readonly<Record<string, readonly Entry[]>>

const read = (file: URL): readonly Entry[] => JSON.parse(readFileSync(file, 'utf8')) as readonly Entry[]

const sides = {
  web: 'server',
  wild: 'server',
  shop: 'server',
  edge: 'serverToBackendMTLS',
  partners: 'clientCA',
  originca: 'backendCA',
} as const

const pem = (file: string): string => readFileSync(new URL(file, certificates), 'utf8')

/** What every configuration has and no folder is about. */
const common: Documents = {
  ...Object.fromEntries(
    ['acl-profiles', 'actions', 'content-filter-profiles'].map((name) => [
      name,
      read(new URL(`${name}.json`, shipped)),
    ]),
  ),
  certificates: Object.entries(sides).map(([id, side]) => ({
    id,
    side,
    cert_body: pem(`${id}.pem`),
    ...(side === 'clientCA' || side === 'backendCA' ? {} : { private_key: pem(`${id}.key`) }),
  })),
}

function baseOf(name: string): string | undefined {
  const file = new URL(`${name}/base`, folders)
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  return name === firstFolder ? undefined : firstFolder
}

const fill = (entry: Entry, from: Entry | undefined): Entry => ({ ...from, name: entry.id, ...entry })

/** The entry with what it leaves out. */
function complete(entry: Entry, base: readonly Entry[]): Entry {
  const filled = fill(entry, base.find(({ id }) => id === entry.id) ?? base[0])
  const { map } = entry as { readonly map?: readonly Entry[] }
  const [pattern] = (base[0]?.['map'] ?? []) as readonly Entry[]
  return map === undefined || pattern === undefined
    ? filled
    : { ...filled, map: map.map((one) => fill(one, { ...pattern, match: `/${one.id}` })) }
}

function documentsOf(name: string): Documents {
  const base = baseOf(name)
  const documents: Record<string, readonly Entry[]> =
    base === undefined ? { ...common } : { ...documentsOf(base) }
  const inputs = new URL(`${name}/in/`, folders)
  for (const file of readdirSync(inputs)) {
    const document = file.replace(/\.json$/, '')
    const before = documents[document] ?? []
    const own = read(new URL(file, inputs)).map((entry) => complete(entry, before))
    const ids = new Set(own.map(({ id }) => id))
    documents[document] = [...before.filter(({ id }) => !ids.has(id)), ...own]
  }
  return documents
}

const defaultListener = { protocol: 'http', address: '0.0.0.0' } as const

/** The resources of a folder, whole. Throws with all problems when its documents are not right. */
export function goldenSnapshot(name: string): Snapshot {
  const built = buildPolicy(documentsOf(name), {
    placeholder: () => ({ chain: pem('placeholder.pem'), key: pem('placeholder.key') }),
  })
  if (!built.ok) throw new Error(`${name}:\n${built.problems.map(formatProblem).join('\n')}`)
  const listeners: readonly ListenerSettings[] = built.policy.loadBalancers ?? [
    { ...defaultListener, id: 'http', port: 8080, publicPort: 80 },
  ]
  return buildSnapshot(built.policy, { ...defaultXdsSettings, listeners })
}

const textOf = (value: Value | undefined): string => (typeof value === 'string' ? value : '')

/** A profile is known by its first host, whatever its settings: else each change of one would be another profile. */
function readableNames(text: string): string {
  const found = JSON.parse(text) as {
    readonly Listener: readonly { readonly filter_chains: readonly Fields[] }[]
  }
  const hosts = found.Listener.flatMap(({ filter_chains }) =>
    filter_chains.map(({ name, filter_chain_match }) => {
      const [profile] = textOf(name).split('|')
      const { server_names } = (filter_chain_match ?? {}) as { readonly server_names?: readonly string[] }
      return { profile: profile ?? '', host: server_names?.[0] ?? '' }
    }),
  )
  return hosts
    .filter(({ profile, host }) => /^p-[0-9a-f]{8}$/.test(profile) && host !== '')
    .reduce((said, { profile, host }) => said.replaceAll(profile, `p-${host}`), text)
}

const pemFiles = readdirSync(certificates).filter((file) => /\.(?:pem|key)$/.test(file))

/** Keys are written differently by the loader, so those are told by what stands around them. */
const withoutPem = (text: string): string =>
  pemFiles
    .filter((file) => file.endsWith('.pem'))
    .reduce(
      (said, file) => said.replaceAll(JSON.stringify(pem(file)).slice(1, -1), `certificates/${file}`),
      text,
    )
    .replaceAll(/-----BEGIN PRIVATE KEY-----[^"]*/g, 'certificates/*.key')

/** Kind of resource → name → resource. */
function written(name: string): Fields {
  const json = Object.fromEntries(
    [...goldenSnapshot(name).resources].map(([url, list]) => [
      url.slice(url.lastIndexOf('.') + 1),
      list.map((one) => one.json),
    ]),
  )
  return JSON.parse(readableNames(withoutPem(JSON.stringify(json)))) as Fields
}

const byName = (list: Value | undefined): ReadonlyMap<string, Value> =>
  new Map(
    (Array.isArray(list) ? (list as readonly Fields[]) : []).map((one) => [
      textOf(one['name'] ?? one['cluster_name']),
      one,
    ]),
  )

/** The content of out.yaml. */
export function goldenOutput(name: string): string {
  const base = baseOf(name)
  const own = written(name)
  const before = base === undefined ? {} : written(base)
  const shown = Object.keys(own).flatMap((kind): readonly (readonly [string, Value])[] => {
    const all = byName(own[kind])
    const kinds = base === undefined ? Object.fromEntries(all) : changesByName(byName(before[kind]), all)
    return kinds === undefined ? [] : [[kind, kinds]]
  })
  return dump(Object.fromEntries(shown), { noRefs: true, lineWidth: 120 })
}
