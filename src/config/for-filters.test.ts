// What filters are sent: enough to make the same policy, and no key.
import { describe, expect, test } from '@jest/globals'
import { chain, key, oldPfx, pfx } from './certificate/certificate.fixture.ts'
import { encodeForFilters } from './for-filters.ts'
import { buildPolicy, loadFolder } from './load.ts'

type Entry = Readonly<Record<string, unknown>>

function sent(
  documents: Readonly<Record<string, readonly Entry[]>>,
): Readonly<Record<string, readonly Entry[]>> {
  const built = buildPolicy(documents)
  if (!built.ok) throw new Error(JSON.stringify(built.problems))
  return Object.fromEntries(
    encodeForFilters(built.documents, built.policy).map(({ name, json }) => [
      name,
      JSON.parse(Buffer.from(json).toString()) as readonly Entry[],
    ]),
  )
}

describe('certificates', () => {
  const forms: readonly (readonly [string, Entry])[] = [
    ['as PEM', { cert_body: chain, private_key: key }],
    ['with a passphrase', { cert_body: chain, private_key: key, private_key_password: 'secret' }],
    ['as PFX', { pfx, pfx_password: 'pfxpass' }],
    ['as an old PFX', { pfx: oldPfx, pfx_password: 'pfxpass' }],
  ]
  test.each(forms)('%s lose their key, and are the same certificate', (_how, fields) => {
    const before = { certificates: [{ id: 'c', ...fields }] }
    const after = sent(before)
    const entry = after['certificates']?.[0]
    expect(entry).toMatchObject({
      id: 'c',
      private_key: 'withheld',
      cert_body: expect.stringContaining('BEGIN'),
    })
    expect(Object.keys(entry ?? {}).toSorted()).toEqual(['cert_body', 'id', 'private_key'])
    expect(JSON.stringify(after)).not.toContain('PRIVATE KEY')
    const [whole, reduced] = [buildPolicy(before), buildPolicy(after, { withKeys: false })]
    if (!whole.ok || !reduced.ok) throw new Error('both are right')
    const [with_, without] = [whole, reduced].map(({ policy }) => policy.certificates.get('c'))
    expect(without).toEqual({ ...with_, key: undefined })
  })
  test('of CAs have none to lose', () => {
    const ca = { id: 'ca', side: 'clientCA', cert_body: chain, crl: ['http://crl.example.com/a'] }
    const toggles = { id: 'feature-toggle', value: {} }
    expect(sent({ certificates: [ca], 'system-db': [toggles] })['certificates']).toEqual([ca])
  })
})

test('of the system database only what says how requests are read', () => {
  const entries = [
    { id: 'mine', value: { token: 'a secret of mine' } },
    { id: 'feature-toggle', value: {} },
    {
      id: 'cdn',
      value: [{ id: 'v', kind: 'http', url: 'http://cache{path}', headers: { 'x-key': 'hidden' } }],
    },
  ]
  expect(sent({ 'system-db': entries })).toEqual({ 'system-db': [{ id: 'feature-toggle', value: {} }] })
  expect(sent({ 'system-db': entries.slice(0, 1) })).toEqual({})
})

test('equal documents are equal bytes, however they are spelled', () => {
  const bytes = (entry: Entry) => {
    const built = buildPolicy({ actions: [entry] })
    return built.ok
      ? Buffer.concat(encodeForFilters(built.documents, built.policy).map(({ json }) => json)).toString()
      : ''
  }
  const one = { id: 'a', name: 'a', type: 'monitor' }
  expect(bytes(one)).not.toBe('')
  expect(bytes({ type: 'monitor', name: 'a', id: 'a' })).toBe(bytes(one))
})

test('the shipped configuration makes the same policy from what is sent', () => {
  const folder = new URL('../../config/', import.meta.url).pathname
  const loaded = loadFolder(folder, { allowLoopbackBackends: true })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const documents = Object.fromEntries(
    encodeForFilters(loaded.documents, loaded.policy).map(({ name, json }) => [
      name,
      JSON.parse(Buffer.from(json).toString()),
    ]),
  )
  const built = buildPolicy(documents, { allowLoopbackBackends: true, withKeys: false })
  if (!built.ok) throw new Error(JSON.stringify(built.problems))
  // The revision is of all documents, and told to filters.
  expect({ ...built.policy, revision: '' }).toEqual({ ...loaded.policy, revision: '' })
})
