import { expect, test } from '@jest/globals'
import { loadSettings } from '#platform'
import { noRevocations } from '#config'
import { policyOf } from './received-policy.ts'

/** The refusal of a message whose document `actions` has these entries. */
function refusal(...entries: readonly object[]): string {
  const loaded = loadSettings({ file: undefined, flags: [], environment: {} })
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'))
  const documents = [{ name: 'actions', json: Buffer.from(JSON.stringify(entries)) }]
  const message = {
    name: 'prod',
    revision: 'r1',
    branch: 'prod',
    documents,
    maskingSeed: 'salt',
    revocations: noRevocations,
  }
  try {
    policyOf(message, loaded.settings)
  } catch (error) {
    return String(error)
  }
  return ''
}

const wrong = (id: string) => ({ id, name: id, type: 'blok' })

test('a policy is refused with what is wrong with it, and how much', () => {
  expect(refusal(wrong('a'))).toMatch(
    /^Error: a problem in policy r1: actions\.json: entry "a", type: must be one of /,
  )
  expect(refusal(wrong('a'), wrong('b'))).toMatch(
    /^Error: 2 problems in policy r1: actions\.json: entry "a", type: .* entry "b", /,
  )
})
