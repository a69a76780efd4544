// Which revocation lists a policy asks for: its URLs, and for each the CAs whose lists may be found there.
import { type BundledCa, type Policy, type Revocations, readBundle } from '#config'

/** The part of a policy that asks for lists. */
export type AskingPolicy = Pick<Policy, 'serverGroups'>

export type Source = {
  readonly cas: readonly BundledCa[]
  /** Changes when the list of URLs, in which this one stands, or the CAs change. */
  readonly mark: string
}

type Checked = {
  readonly group: string
  readonly urls: readonly string[]
  readonly cas: readonly BundledCa[]
}

function checkedGroups({ serverGroups }: AskingPolicy): readonly Checked[] {
  const bundles = new Map<string, readonly BundledCa[]>()
  return serverGroups.flatMap(({ id, clientCertificate: asked }) => {
    if (asked.mode === 'off' || asked.crl === undefined) return []
    const { chain } = asked.ca
    const cas = bundles.get(chain) ?? readBundle(chain)
    bundles.set(chain, cas)
    return [{ group: id, urls: asked.crl, cas }]
  })
}

/** By URL. */
export function sourcesOf(policy: AskingPolicy): ReadonlyMap<string, Source> {
  const found = new Map<string, { cas: Map<string, BundledCa>; marks: Set<string> }>()
  for (const { urls, cas } of checkedGroups(policy)) {
    const mark = JSON.stringify([urls.toSorted(), cas.map(({ id }) => id).toSorted()])
    for (const url of urls) {
      const source = found.get(url) ?? { cas: new Map<string, BundledCa>(), marks: new Set<string>() }
      for (const ca of cas) source.cas.set(ca.pem, ca)
      source.marks.add(mark)
      found.set(url, source)
    }
  }
  const sources = [...found].map(
    ([url, { cas, marks }]) => [url, { cas: [...cas.values()], mark: [...marks].toSorted().join() }] as const,
  )
  return new Map(sources)
}

/** A CA of which there is no list yet, so that what it issued is refused. */
export type Unlisted = { readonly group: string; readonly ca: string }

export function unlistedCas(policy: AskingPolicy, { cas: listed }: Revocations): readonly Unlisted[] {
  return checkedGroups(policy).flatMap(({ group, cas }) =>
    cas
      .filter(({ id }) => listed.get(id)?.complete !== true)
      .map(({ certificate }) => ({ group, ca: certificate.subject.split('\n').toReversed().join(', ') })),
  )
}
