// Seeds of content filter profiles (spec pipeline 7.7): CHANGEME is a placeholder, never a secret.
import { describe, expect, test } from '@jest/globals'
import { type LoadOptions, type LoadResult, buildPolicy } from '../load.ts'
import { formatProblem } from '../problem.ts'
import type { SeedSource } from './seed.ts'

const profile = (id: string, masking_seed: string): object => ({
  id,
  name: id,
  ignore_alphanum: true,
  decoding: {},
  masking_seed,
  headers: {},
  cookies: {},
  args: {},
  path: {},
})

const entry = (id: string, match: string, content_filter_profile?: string): object => ({
  id,
  name: id,
  match,
  backend_service: 'app',
  ...(content_filter_profile === undefined ? {} : { content_filter_profile }),
})

const load = (profiles: readonly object[], options: LoadOptions = {}): LoadResult =>
  buildPolicy(
    {
      'content-filter-profiles': profiles,
      'backend-services': [
        { id: 'app', http11: true, least_conn: false, back_hosts: [{ host: 'app.internal' }] },
      ],
      'security-policies': [
        {
          id: 'p',
          name: 'p',
          session: [{ attrs: 'ip' }],
          map: [
            entry('d', '__default__'),
            entry('s', '__site_level__'),
            entry('own', '^/own', 'own'),
            entry('open', '^/open', 'open'),
          ],
        },
      ],
      'server-groups': [
        {
          id: 'g',
          name: 'g',
          server_names: ['a.example'],
          security_policy: 'p',
          proxy_template: '__default__',
        },
      ],
    },
    options,
  )

const profiles = [profile('own', 'a secret of its own'), profile('open', 'CHANGEME')]

function seeds(result: LoadResult): Readonly<Record<string, string>> {
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'))
  const entries = result.policy.serverGroups.flatMap(({ policy }) => policy.entries)
  return Object.fromEntries(entries.map(({ id, contentFilter }) => [id, contentFilter.maskingSeed]))
}

const source: SeedSource = () => ({ ok: true, seed: 'the seed of this machine' })

describe('masking_seed is CHANGEME', () => {
  test('a running filter takes the seed of its machine, and nothing is left to warn about', () => {
    const result = load(profiles, { maskingSeed: source })
    expect(seeds(result)).toMatchObject({ own: 'a secret of its own', open: 'the seed of this machine' })
    expect(result.warnings).toEqual([])
  })
  test('so does the profile that every configuration has', () => {
    expect(seeds(load(profiles, { maskingSeed: source }))).toMatchObject({ d: 'the seed of this machine' })
  })
  test('elsewhere it stays and is warned about, where an operator wrote it', () => {
    const result = load(profiles)
    expect(seeds(result)).toMatchObject({ d: 'CHANGEME', own: 'a secret of its own', open: 'CHANGEME' })
    expect(result.warnings.map(formatProblem)).toEqual([
      expect.stringMatching(/entry "open", masking_seed: masking_seed is CHANGEME\. Set a random secret/),
    ])
  })
  test('the revision is that of the documents, on every machine the same', () => {
    const revision = (result: LoadResult): unknown => result.ok && result.policy.revision
    expect(revision(load(profiles, { maskingSeed: source }))).toBe(revision(load(profiles)))
  })
  test('without a seed to take it is a problem that says what to do', () => {
    const broken: SeedSource = () => ({ ok: false, reason: 'there is none', remedy: 'Make one.' })
    const result = load(profiles, { maskingSeed: broken })
    expect(result.ok ? [] : result.problems.map(formatProblem)).toContain(
      'content-filter-profiles.json: entry "open", masking_seed: masking_seed is CHANGEME, and there is none. Set a random secret here. Or: Make one.',
    )
  })
})

test('where every profile has its own nobody is asked for one', () => {
  const own = [profile('own', 'x'), profile('open', 'y'), profile('__defaultcontentfilter__', 'z')]
  const never: SeedSource = () => {
    throw new Error('asked')
  }
  expect(seeds(load(own, { maskingSeed: never }))).toMatchObject({ own: 'x', open: 'y', d: 'z' })
})
