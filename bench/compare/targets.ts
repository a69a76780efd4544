// The targets of bench/targets.json: what a figure may be, alone or as a multiple of another one of the same run; and the
// comparison with the committed results, as multiples of the floor, so that another machine does not look like a change.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Result, figure } from './results.ts'
import { root } from './tools.ts'

type Place = { readonly subject: string; readonly mix: string; readonly metric: string }

type Target = {
  readonly id: string
  readonly part: string
  readonly says: string
  readonly of: Place
  readonly to?: Place
  /** `of` (divided by `to`) must be at most, or at least, this. */
  readonly most?: number
  readonly least?: number
}

const readTargets = (): readonly Target[] =>
  JSON.parse(readFileSync(join(root, 'bench', 'targets.json'), 'utf8')) as readonly Target[]

function valueOf({ of, to }: Target, result: Result | undefined): number | undefined {
  const value = figure(result, of.subject, of.mix, of.metric)?.median
  if (to === undefined || value === undefined) return value
  const base = figure(result, to.subject, to.mix, to.metric)?.median
  return base === undefined ? undefined : value / base
}

const met = ({ most = Infinity, least = -Infinity }: Target, value: number): boolean =>
  value <= most && value >= least

export type Checked = { readonly lines: readonly string[]; readonly missed: number }

/** A target that nothing was measured for counts as missed. */
export function checkTargets(results: readonly Result[]): Checked {
  let missed = 0
  const lines = readTargets().map((target) => {
    const value = valueOf(
      target,
      results.find(({ part }) => part === target.part),
    )
    const ok = value !== undefined && met(target, value)
    if (!ok) missed++
    const wanted = target.most === undefined ? `≥ ${String(target.least)}` : `≤ ${String(target.most)}`
    const found = value === undefined ? 'not measured' : value.toPrecision(3)
    return `${ok ? 'met   ' : 'MISSED'}  ${target.id.padEnd(22)} ${found.padStart(12)}  ${wanted.padEnd(8)}  ${target.says}`
  })
  return { lines, missed }
}

/** A multiple of the floor that grew by more than this is worth a look. */
const tolerated = 1.15

/** What costs more than in the committed results of the same part, as multiples of a filter that decides nothing. */
export function regressions(before: Result | undefined, now: Result): readonly string[] {
  const floors = ['noop-lean', 'noop-grpc-js']
  return now.rows.flatMap(({ subject, subjectName, mix, mixName }) => {
    if (!subject.startsWith('weir')) return []
    for (const floor of floors) {
      const [old, oldFloor] = [figure(before, subject, mix, 'cpu µs'), figure(before, floor, mix, 'cpu µs')]
      const [fresh, freshFloor] = [figure(now, subject, mix, 'cpu µs'), figure(now, floor, mix, 'cpu µs')]
      if (!old || !oldFloor || !fresh || !freshFloor) continue
      const [then, today] = [old.median / oldFloor.median, fresh.median / freshFloor.median]
      return today > then * tolerated
        ? [`${subjectName}, ${mixName}: ${today.toFixed(2)} × the no-op floor, was ${then.toFixed(2)} ×`]
        : []
    }
    return []
  })
}
