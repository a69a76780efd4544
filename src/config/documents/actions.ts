// What Weir does with a request that a rule caught (spec pipeline 5.1, 7.1).
import { type Static, Type } from 'typebox'
import { finding, outOfRange } from '../findings.ts'
import type { Action, Header } from '../policy.ts'
import type { Report } from '../problem.ts'
import { fieldPath } from '../schema/json.ts'
import { defineDocument } from './document.ts'
import { entrySchema, identityOf, partSchema, readTags } from './common.ts'

const types = ['skip', 'monitor', 'block', 'challenge', 'interactive_challenge'] as const

const params = partSchema(
  {
    status: Type.Optional(
      Type.Integer({
        minimum: 200,
        maximum: 599,
        description: 'HTTP status of the answer. Default: 503 for `block`, 247 for challenges.',
      }),
    ),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description:
          'Header name → value with `${…}` and `%…%` tokens. Request headers for `monitor` and satisfied challenges, response headers for `block`. Default: none.',
      }),
    ),
    api_status: Type.Optional(
      Type.Integer({
        minimum: 200,
        maximum: 599,
        description: 'Challenges only: status for clients that cannot show a page.',
      }),
    ),
    content: Type.Optional(
      Type.String({ description: 'Block only: body, at most 64 KiB. Default: the default block page.' }),
    ),
  },
  { description: 'How the type is carried out.' },
)

const schema = entrySchema({
  type: Type.Enum([...types], {
    aliases: { custom: 'block', ichallenge: 'interactive_challenge' },
    description: 'Also: `custom` for block, `ichallenge` for interactive_challenge.',
  }),
  params: Type.Optional(params),
})
type Entry = Static<typeof schema>
type Params = Static<typeof params>

const used: Readonly<Record<Entry['type'], readonly (keyof Params)[]>> = {
  skip: [],
  monitor: ['headers'],
  block: ['status', 'headers', 'content'],
  challenge: ['status', 'api_status', 'headers'],
  interactive_challenge: ['status', 'api_status', 'headers'],
}

const contentBytes = 64 * 1024
const neverSet = ['content-length', 'transfer-encoding', 'connection']

function readHeaders(headers: Readonly<Record<string, string>>, report: Report): readonly Header[] {
  return Object.entries(headers).map(([name, value]) => {
    const lower = name.toLowerCase()
    const field = fieldPath('params.headers', name)
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(lower)) {
      report.problem(field, finding('must be a header name', 'Use letters, digits and "-" only.'))
    } else if (neverSet.includes(lower)) {
      report.problem(field, finding(`header "${lower}" cannot be set`, 'Remove it; Envoy sets it.'))
    } else if (/[\0\r\n]/.test(value)) {
      report.problem(field, finding('must be one line', 'Remove line breaks and zero bytes from the value.'))
    }
    return [lower, value]
  })
}

function warnOfUnused(type: Entry['type'], given: Params, report: Report): void {
  for (const name of Object.keys(given)) {
    if (used[type].some((one) => one === name)) continue
    report.warning(
      `params.${name}`,
      finding(`not used by actions of type "${type}"`, `Remove "${name}" or choose another type.`),
    )
  }
}

function parse(entry: Entry, report: Report): Action {
  const given = entry.params ?? {}
  warnOfUnused(entry.type, given, report)
  const headers = readHeaders(given.headers ?? {}, report)
  const common = { ...identityOf(entry), tags: readTags(entry.tags, 'tags', report) }
  switch (entry.type) {
    case 'skip':
      return { ...common, type: 'skip' }
    case 'monitor':
      return { ...common, type: 'monitor', headers }
    case 'block': {
      const size = Buffer.byteLength(given.content ?? '')
      if (size > contentBytes) report.problem('params.content', outOfRange(0, contentBytes, size))
      return { ...common, type: 'block', status: given.status ?? 503, headers, content: given.content }
    }
    case 'challenge':
    case 'interactive_challenge':
      return {
        ...common,
        type: entry.type,
        status: given.status ?? 247,
        apiStatus: given.api_status,
        headers,
      }
    default:
      return entry.type satisfies never
  }
}

export const actions = defineDocument({
  namespace: 'actions',
  noun: 'action',
  title: 'Actions',
  description: 'What happens to a request that a filter, limit, ACL or the content filter caught.',
  schema,
  examples: [
    {
      id: 'a1',
      name: 'Sorry',
      description: '',
      tags: ['action:sorry'],
      type: 'block',
      params: {
        status: 403,
        headers: { 'content-type': 'text/html' },
        content: '<html><body>Refused. Quote %Request_ID% when you ask.</body></html>',
      },
    },
    {
      id: 'to-https',
      name: 'To https',
      type: 'custom',
      params: { status: 301, headers: { location: 'https://${host}${raw_uri}' } },
    },
    { id: 'watch', name: 'Watch', type: 'monitor', params: { headers: { 'x-weir-client': '${ip}' } } },
  ],
  parse,
})
