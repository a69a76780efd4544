// Stand-ins for what a refused request does not have: a site, a body, a place. With them it is a transaction like any
// other, so that its answer and its record are made by the same code.
import type { MapEntry, ProxyTemplate, ServerGroup } from '#config'
import type { BodyReport, Location } from '#request'
import type { Site } from './transaction.ts'

/** Stands for the site of a request that has none; its names are empty and nothing in it is active. */
export function nowhere(template: ProxyTemplate): Site {
  const identity = { id: '', name: '' }
  const block = {
    ...identity,
    tags: [],
    type: 'block',
    status: 503,
    headers: [],
    content: undefined,
  } as const
  const section = { maxCount: undefined, maxLength: undefined, names: [], regex: [] }
  const entry: MapEntry = {
    ...identity,
    role: 'default',
    match: '',
    acl: {
      ...identity,
      tags: [],
      action: block,
      forceDeny: [],
      passthrough: [],
      allowBot: [],
      denyBot: [],
      allow: [],
      deny: [],
    },
    aclActive: false,
    contentFilter: {
      ...identity,
      tags: [],
      action: block,
      active: [],
      report: [],
      ignore: [],
      ignoreAlphanum: true,
      ignoreBody: true,
      contentTypes: [],
      decoding: { base64: false, dual: false, html: false, unicode: false },
      graphqlPath: '',
      maskingSeed: '',
      sections: {
        headers: section,
        cookies: section,
        args: section,
        path: section,
        plugins: section,
        allsections: section,
      },
      maxBodyDepth: 100,
      maxBodySize: undefined,
      refererAsUri: false,
    },
    contentFilterActive: false,
    rateLimitRules: [],
    backend: undefined,
    grpc: false,
  }
  const policy = { ...identity, tags: [], session: [], sessionIds: [], entries: [entry] }
  const group: ServerGroup = {
    ...identity,
    httpRedirect: 'off',
    serverNames: [],
    policy,
    template,
    certificate: undefined,
    clientCertificate: { mode: 'off' },
    tls: template.tls,
    tcpPassthrough: false,
  }
  return { group, policy, entry }
}

export const noBody: BodyReport = {
  present: false,
  mediaType: undefined,
  declared: undefined,
  malformed: undefined,
  partial: false,
  binary: false,
  tooDeep: undefined,
  tooLarge: undefined,
  raw: undefined,
  size: 0,
}

export const noLocation: Location = {
  continentName: undefined,
  continentCode: undefined,
  country: undefined,
  countryCode: undefined,
  region: undefined,
  subregion: undefined,
  city: undefined,
  latitude: undefined,
  longitude: undefined,
  asn: undefined,
  organization: undefined,
  network: undefined,
}
