// Stands in for the site that a refused request does not have. With it the request is a transaction like any other, so that
// its answer and its record are made by the same code.
import type { MapEntry, ProxyTemplate, ServerGroup } from '#config'
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
