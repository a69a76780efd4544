// Sequences of requests that give the last one a tag (spec pipeline 4.4, 7.3).
import { type Static, Type } from 'typebox'
import { finding } from '../findings.ts'
import type { FlowPolicy, FlowStep } from '../policy.ts'
import type { Report } from '../problem.ts'
import { fieldPath } from '../schema/json.ts'
import { defineDocument } from './document.ts'
import { entrySchema, identityOf, partSchema, readPattern, readTags, tagList } from './common.ts'
import { readSelectors, selector } from './selector.ts'

const conditions = (what: string) =>
  Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      description: `${what}: name → expression that must be found, without case. Default: none.`,
    }),
  )

/** Ten years: longer is a mistake, and stores count in milliseconds. */
const longest = 315_360_000

const step = partSchema({
  method: Type.Enum(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'TRACE', 'OPTIONS', 'PATCH'], {
    description: 'Method of the step.',
  }),
  uri: Type.String({
    pattern: '^/',
    description: 'The whole path, exactly.',
    expected: 'a path that begins with /',
  }),
  headers: conditions('Headers, except `host`: that one is compared literally'),
  cookies: conditions('Cookies'),
  args: conditions('Arguments'),
  plugins: conditions('Plugin values'),
})

const schema = entrySchema(
  {
    active: Type.Boolean({ description: 'Inactive policies do nothing.' }),
    timeframe: Type.Number({
      exclusiveMinimum: 0,
      maximum: longest,
      description: 'Seconds from the first step to the last.',
    }),
    key: Type.Array(selector, { minItems: 1, description: 'Whose steps belong together.' }),
    steps: Type.Array(step, {
      minItems: 2,
      description: 'In the order in which they are due. Also: `sequence`.',
    }),
    include: Type.Optional(tagList('Only requests with one of these tags.')),
    exclude: Type.Optional(tagList('Not requests with one of these tags.')),
  },
  { aliases: { sequence: 'steps' } },
)
type StepDocument = Static<typeof step>

export type FlowPolicyEntry = FlowPolicy & { readonly active: boolean }

const sections = ['args', 'cookies', 'headers', 'plugins'] as const

function readStep(document: StepDocument, at: string, report: Report): FlowStep {
  let host: string | undefined
  const found: FlowStep['conditions'][number][] = []
  for (const section of sections) {
    for (const [given, pattern] of Object.entries(document[section] ?? {})) {
      const name = section === 'headers' ? given.toLowerCase() : given
      if (section === 'headers' && name === 'host') host = pattern.toLowerCase()
      else
        found.push({
          section,
          name,
          pattern: readPattern(pattern, fieldPath(`${at}.${section}`, given), report),
        })
    }
  }
  return { method: document.method, uri: document.uri, host, conditions: found }
}

function warnOfTwins(steps: readonly FlowStep[], report: Report): void {
  const texts = steps.map((one) => JSON.stringify(one))
  for (let index = 1; index < texts.length; index++) {
    if (texts[index] !== texts[index - 1]) continue
    report.warning(
      fieldPath('steps', index),
      finding(
        `steps[${index}] is equal to the step before it`,
        'Remove one of the two, unless the same request is really due twice.',
      ),
    )
  }
}

function parse(entry: Static<typeof schema>, report: Report): FlowPolicyEntry {
  const steps = entry.steps.map((one, index) => readStep(one, fieldPath('steps', index), report))
  warnOfTwins(steps, report)
  return {
    ...identityOf(entry),
    tags: readTags(entry.tags, 'tags', report),
    active: entry.active,
    timeframeMs: Math.max(1, Math.round(entry.timeframe * 1000)),
    key: readSelectors(entry.key),
    steps,
    include: readTags(entry.include, 'include', report),
    exclude: readTags(entry.exclude, 'exclude', report),
  }
}

export const flowControlPolicies = defineDocument({
  namespace: 'flow-control-policies',
  noun: 'flow control policy',
  title: 'Flow control policies',
  description: 'Requests that must come in order; the last one gets tags.',
  schema,
  examples: [
    {
      id: 'l',
      name: 'L',
      description: '',
      active: true,
      timeframe: 60,
      key: [{ attrs: 'ip' }],
      tags: ['login-flow'],
      include: [],
      exclude: [],
      steps: [
        { method: 'GET', uri: '/login', headers: { host: 'www.example.com' } },
        { method: 'POST', uri: '/login', headers: { host: 'www.example.com' }, args: { user: '.+' } },
      ],
    },
  ],
  parse,
})
