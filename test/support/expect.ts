// What the worked examples state about a decision, in their own shorthand: status, tags with + and −, stage, reason.
import { expect } from '@jest/globals'
import type { Decision } from '#pipeline'

export type Expected = {
  /** `ok`: passed, no status, no reason, nothing monitored. */
  readonly is:
    'ok' | 'monitor' | 'skip' | `block ${number}` | `challenge ${number}` | `interactive_challenge ${number}`
  /** Space separated; a leading `-` means: must be absent. */
  readonly tags?: string
  readonly stage?: number
  readonly reason?: string | RegExp | null
  readonly monitorReasons?: readonly string[]
  readonly event?: Readonly<Record<string, unknown>>
  /** Replaces fields of `event` behind Envoy, which normalises a path before the filter sees it (spec pipeline 1.5). */
  readonly eventBehindEnvoy?: Readonly<Record<string, unknown>>
}

export function check(decision: Decision, expected: Expected): void {
  const { record, answer, action } = decision
  const is = answer === undefined ? (action === 'pass' ? 'ok' : action) : `${action} ${String(answer.status)}`
  const told = `${is} ${record.reason ?? ''} ${record.monitor_reasons.join('; ')} [${record.tags.join(' ')}]`
  expect(told.startsWith(`${expected.is} `) ? expected.is : told).toBe(expected.is)
  const tags = new Set(record.tags)
  for (const tag of expected.tags?.split(' ') ?? []) {
    const absent = tag.startsWith('-')
    const name = absent ? tag.slice(1) : tag
    expect([tag, tags.has(name), told]).toEqual([tag, !absent, told])
  }
  if (expected.stage !== undefined) expect(record.processing_stage).toBe(expected.stage)
  if (expected.reason instanceof RegExp) expect(record.reason).toMatch(expected.reason)
  else if (expected.reason !== undefined) expect(record.reason).toBe(expected.reason)
  if (expected.is === 'ok') expect(record.reason).toBeNull()
  if (expected.monitorReasons !== undefined) expect(record.monitor_reasons).toEqual(expected.monitorReasons)
  if (expected.event !== undefined) expect(record).toMatchObject(expected.event)
}
