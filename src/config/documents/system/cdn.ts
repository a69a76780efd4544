// CDNs whose caches Weir may be asked to purge (spec control-plane 1.9). Their keys are no part of a configuration: a
// provider names the process setting that has its key.
import { Type } from 'typebox'
import { duplicate, finding, notUsedYet, required } from '../../findings.ts'
import { fieldPath } from '../../schema/json.ts'
import { id, partSchema } from '../common.ts'
import { defineSystemEntry } from './system-entry.ts'

const text = (description: string) => Type.Optional(Type.String({ description }))

const provider = partSchema({
  id,
  name: text('For people. Default: the id.'),
  kind: Type.Enum(['http', 'cloudfront', 'google', 'cloudflare'], { description: 'How it is purged.' }),
  secret: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z][A-Za-z0-9_.-]{0,127}$',
      description: 'Name of the process setting that holds the key; never the key itself.',
      expected: 'the name of a process setting',
    }),
  ),
  distribution: text('cloudfront: the distribution. Required there.'),
  domains: Type.Optional(
    Type.Array(Type.String(), { description: 'cloudfront: hosts of the distribution.' }),
  ),
  project: text('google: the project. Required there.'),
  url_map: text('google: the URL map. Required there.'),
  zone: text('cloudflare: the zone. Required there.'),
  method: text('http: the method. Default: PURGE.'),
  url: text('http: the URL, with {host}, {path} and {url}. Required there.'),
  headers: Type.Optional(
    Type.Record(Type.String(), Type.String(), { description: 'http: further headers.' }),
  ),
  body: text('http: the body, with {host}, {path} and {url}. Default: none.'),
  success: Type.Optional(
    Type.Array(Type.Integer({ minimum: 100, maximum: 599 }), {
      description: 'http: statuses that mean done. Default: 200 to 299.',
    }),
  ),
  status_url: text('http: where progress is asked for. Default: nowhere.'),
})

const needs = {
  http: ['url'],
  cloudfront: ['distribution'],
  google: ['project', 'url_map'],
  cloudflare: ['zone'],
} as const

export const cdn = defineSystemEntry({
  id: 'cdn',
  description: 'CDNs whose caches can be purged.',
  waitsFor: 'the purging of caches',
  schema: Type.Array(provider, { expected: 'a list of providers' }),
  example: [
    {
      id: 'edge',
      kind: 'cloudfront',
      distribution: 'E2EXAMPLE',
      domains: ['www.example.com'],
      secret: 'cdn.edge',
    },
    { id: 'varnish', kind: 'http', method: 'PURGE', url: 'http://cache.internal{path}' },
  ],
  parse(providers, report) {
    const seen = new Map<string, number>()
    providers.forEach((one, i) => {
      const at = fieldPath('', i)
      const first = seen.get(one.id)
      if (first === undefined) seen.set(one.id, i)
      else report.problem(`${at}.id`, duplicate('id', fieldPath('', first)))
      for (const field of needs[one.kind])
        if ((one[field] ?? '') === '')
          report.problem(`${at}.${field}`, required(field, `kind ${one.kind} needs it`))
      if (one.kind !== 'http' && one.secret === undefined)
        report.warning(
          `${at}.secret`,
          finding('no key is named', 'Name the process setting that holds the key of the provider.'),
        )
    })
    if (providers.length > 0) report.warning('', notUsedYet('cdn'))
    return {}
  },
})
