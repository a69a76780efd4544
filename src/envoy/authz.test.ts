import { describe, expect, test } from '@jest/globals'
import { createAuthz } from './authz.ts'
import { attributesOf, block, checkBytes, pass, record } from './check.fixture.ts'
import { encodeCheckResponse } from './check-response.ts'
import type { UnaryCall } from './transport.ts'

const call: UnaryCall = { cancelled: false, deadline: Infinity }
const request = checkBytes(attributesOf())
const defect = new Error('a defect')
const failure = { ...block, record: { ...record, reason: 'General: processing error' } }

const failed = (_input: unknown, error: unknown): typeof failure => {
  expect(error).toBe(defect)
  return failure
}

describe('the ext_authz door', () => {
  const never = (): never => {
    throw defect
  }
  const rows = [
    ['an answer at once is one at once', () => pass, pass],
    ['a late answer is awaited', () => Promise.resolve(block), block],
    ['a defect is answered by a decision', never, failure],
    ['a late defect too', () => Promise.reject(defect), failure],
  ] as const
  test.each(rows)('%s', async (_says, decide, expected) => {
    expect(await createAuthz({ decide, failed })(request, call)).toEqual(encodeCheckResponse(expected))
  })

  test('no promise where none is needed', () => {
    expect(createAuthz({ decide: () => pass, failed })(request, call)).toBeInstanceOf(Uint8Array)
  })

  test('a decision that cannot be written down is a defect', () => {
    const unwritable = {
      ...pass,
      get record(): never {
        throw defect
      },
    }
    expect(createAuthz({ decide: () => unwritable, failed })(request, call)).toEqual(
      encodeCheckResponse(failure),
    )
  })

  test('the pipeline sees what Envoy sent', () => {
    const seen: string[] = []
    const decide = ({
      target,
      hints,
    }: {
      target: string
      hints: { group: string | undefined }
    }): typeof pass => {
      seen.push(target, hints.group ?? '')
      return pass
    }
    void createAuthz({ decide, failed })(request, call)
    expect(seen).toEqual(['/search?q=1', 'site1'])
  })

  test('garbage is INVALID_ARGUMENT and is told', () => {
    const told: unknown[] = []
    const authz = createAuthz({ decide: () => pass, failed, onMalformed: (error) => told.push(error) })
    expect(() => authz(Buffer.from('garbage'), call)).toThrow(
      expect.objectContaining({ name: 'GrpcError', code: 'INVALID_ARGUMENT' }),
    )
    expect(told).toHaveLength(1)
  })
})
