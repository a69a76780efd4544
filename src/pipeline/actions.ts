// Actions and their contest (spec pipeline 5). Stages collect candidates; here all monitors take effect and of the
// others exactly one is executed: skip before block before challenges, of two challenges the interactive one, else the first.
import type { Action, ActionType } from '#config'
import type { Challenges } from '#challenge'
import type { Answer, Verdict } from './decision.ts'
import { blockPage, htmlType, pageAnswer, usesDefaultPage } from './block-page.ts'
import { pageValues, renderContent, renderHeader } from './template.ts'
import type { Transaction } from './transaction.ts'

/** One action that a stage wants, with the text that explains it. */
export type Candidate = { readonly action: Action; readonly reason: string }

/** What an action comes down to for this request: a challenge that is passed acts as a monitor. */
export type Effect = { readonly type: ActionType; readonly extra: '' | 'passed' }

export type Actions = {
  effectOf(t: Transaction, action: Action): Effect
  /** Ranks the types for choosing one of several candidates; higher wins. */
  rank(type: ActionType): number
  resolve(t: Transaction, candidates: readonly Candidate[]): Verdict | undefined
}

const ranks: Record<ActionType, number> = {
  monitor: 0,
  challenge: 1,
  interactive_challenge: 2,
  block: 3,
  skip: 4,
}

/** The action's answer; `no-store` unless it says how to cache (spec pipeline 5.3). */
function blockAnswer(t: Transaction, block: Extract<Action, { type: 'block' }>): Answer {
  const { status } = block
  const headers: [string, string][] = block.headers.map(([name, template]) => [
    name.toLowerCase(),
    renderHeader(template, t, status),
  ])
  const contentType = headers.find(([name]) => name === 'content-type')?.[1]
  if (!headers.some(([name]) => name === 'cache-control')) headers.push(['cache-control', 'no-store'])
  if (usesDefaultPage(block)) {
    if (contentType === undefined) headers.push(['content-type', htmlType])
    return { status, headers, body: blockPage(pageValues(t, status)) }
  }
  const html = contentType?.startsWith('text/html') ?? false
  return { status, headers, body: renderContent(block.content ?? '', t, status, html) }
}

/** Weir's own refusal: the default block page with this status (spec pipeline 5.5). */
export function refusal(t: Transaction, status: number, reason: string): Verdict {
  return { kind: 'block', answer: pageAnswer(pageValues(t, status)), reason }
}

export function createActions(challenges: Challenges): Actions {
  const effectOf = (t: Transaction, action: Action): Effect => {
    if (action.type !== 'challenge' && action.type !== 'interactive_challenge')
      return { type: action.type, extra: '' }
    return challenges.satisfied(action.type, t.human, t.request, t.tags)
      ? { type: 'monitor', extra: 'passed' }
      : { type: action.type, extra: '' }
  }

  const attachTags = (t: Transaction, action: Action): void => {
    t.tags.addAll(action.tags, {
      stage: t.stage,
      kind: 'action',
      id: action.id,
      name: action.name,
      locations: [],
    })
  }

  const monitor = (t: Transaction, candidate: Candidate): void => {
    const { action } = candidate
    attachTags(t, action)
    t.monitored = true
    t.monitorReasons.push(candidate.reason)
    if (action.type === 'skip' || action.type === 'block') return
    for (const [name, template] of action.headers)
      t.requestHeaders.set(name.toLowerCase(), renderHeader(template, t, undefined))
  }

  const execute = (t: Transaction, { action, reason }: Candidate): Verdict | undefined => {
    attachTags(t, action)
    switch (action.type) {
      case 'skip':
        return { kind: 'skip', by: 'action' }
      case 'block':
        return { kind: 'block', answer: blockAnswer(t, action), reason }
      case 'challenge':
      case 'interactive_challenge':
        t.tags.add(action.type === 'challenge' ? 'challenge' : 'ichallenge', systemSource(t.stage))
        return { kind: action.type, answer: challenges.answer(action.type, t.request, action), reason }
      case 'monitor':
        return undefined
      default:
        return action satisfies never
    }
  }

  return {
    effectOf,
    rank: (type) => ranks[type],
    resolve(t, candidates) {
      let best: Candidate | undefined
      let bestRank = 0
      for (const candidate of candidates) {
        const { type } = effectOf(t, candidate.action)
        if (type === 'monitor') monitor(t, candidate)
        else if (ranks[type] > bestRank) {
          best = candidate
          bestRank = ranks[type]
        }
      }
      return best === undefined ? undefined : execute(t, best)
    },
  }
}

/** Provenance of what the system itself attaches. */
export function systemSource(stage: number): {
  stage: number
  kind: 'system'
  id: string
  name: string
  locations: []
} {
  return { stage, kind: 'system', id: '', name: '', locations: [] }
}
