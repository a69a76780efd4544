import { expect, test } from '@jest/globals'
import { changesOf } from './quickstart-text.ts'

test('of a changed folder is told once what became of it, and of an unchanged one nothing', () => {
  const textOf = changesOf('my-site', 'aaaa')
  const policy = (revision: string) => textOf({ kind: 'policy', revision })
  const problems = ['actions.json: not a list']
  // A control plane that has a kept configuration says at its start which policy it reads.
  expect(policy('aaaa')).toBeUndefined()
  expect(policy('bbbb')).toBe('The changed configuration is in force (revision bbbb).\n')
  expect(policy('bbbb')).toBeUndefined()
  expect(textOf({ kind: 'refused', problems })).toBe(
    'The changed configuration in my-site is refused; the one before stays in force.\n',
  )
  expect(policy('bbbb')).toBe('The configuration in my-site is again the one in force.\n')
  expect(policy('bbbb')).toBeUndefined()
  expect(policy('aaaa')).toBe('The changed configuration is in force (revision aaaa).\n')
  expect(textOf({ kind: 'ready' })).toBeUndefined()
  expect(textOf({ kind: 'nack', node: 'envoy', reason: 'no' })).toBeUndefined()
})
