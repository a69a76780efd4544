// Where configurations are published to (spec control-plane 3.5).
import { Type } from 'typebox'
import { duplicate, finding, unknownReference, wrongType } from '../../findings.ts'
import type { Report } from '../../problem.ts'
import { fieldPath } from '../../schema/json.ts'
import { partSchema } from '../common.ts'
import { defineSystemEntry } from './system-entry.ts'

const name = Type.String({
  pattern: '^[A-Za-z0-9_-]{1,64}$',
  description: 'Unique; branch_buckets name it.',
  expected: 'a name of 1 to 64 letters, digits, "_" or "-"',
})

const schemes = ['xds:', 'file:', 'git+https:', 'git+ssh:']

function checkUrl(url: string, field: string, report: Report): void {
  const scheme = URL.canParse(url) ? new URL(url).protocol : ''
  if (!schemes.includes(scheme))
    report.problem(field, wrongType('a URL of xds://, file://, git+https:// or git+ssh://', url))
  else if (scheme !== 'xds:')
    report.warning(
      field,
      finding(`publishing to ${scheme}// does not work yet`, 'Publish to connected nodes: xds://prod.'),
    )
}

export const publishinfo = defineSystemEntry({
  id: 'publishinfo',
  description: 'Where configurations are published to, when the call names no bucket.',
  waitsFor: 'an API that publishes',
  schema: partSchema({
    buckets: Type.Optional(
      Type.Array(
        partSchema({
          name,
          url: Type.String({ description: '`xds://NAME`: the connected nodes of that bucket.' }),
        }),
        {
          description: 'Targets. Default: none.',
        },
      ),
    ),
    branch_buckets: Type.Optional(
      Type.Array(
        partSchema({
          name: Type.String({ minLength: 1, description: 'A configuration.' }),
          buckets: Type.Array(Type.String(), { description: 'Names of buckets.' }),
        }),
        { description: 'Which buckets a configuration goes to. Default: none.' },
      ),
    ),
  }),
  example: {
    buckets: [{ name: 'prod', url: 'xds://prod' }],
    branch_buckets: [{ name: 'prod', buckets: ['prod'] }],
  },
  parse({ buckets = [], branch_buckets: branches = [] }, report) {
    const names = new Map<string, number>()
    buckets.forEach((bucket, i) => {
      const at = fieldPath('buckets', i)
      const first = names.get(bucket.name)
      if (first === undefined) names.set(bucket.name, i)
      else report.problem(`${at}.name`, duplicate('name', fieldPath('buckets', first)))
      checkUrl(bucket.url, `${at}.url`, report)
    })
    branches.forEach((branch, i) =>
      branch.buckets.forEach((bucket, j) => {
        if (names.has(bucket)) return
        report.problem(
          fieldPath(`${fieldPath('branch_buckets', i)}.buckets`, j),
          unknownReference('bucket', bucket, 'buckets', names.keys()),
        )
      }),
    )
    return {
      publishTargets: { buckets, branches: new Map(branches.map((one) => [one.name, one.buckets])) },
    }
  },
})
