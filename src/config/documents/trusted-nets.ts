// Who may state a client address: load balancers and CDNs in front, as networks or as a global filter that lists them
// (spec control-plane 1.4). Templates and the planet have the same list.
import { type Static, Type } from 'typebox'
import { parseCidr } from '#platform'
import { badAddress, required, unknownField } from '../findings.ts'
import type { Report } from '../problem.ts'
import { fieldPath } from '../schema/json.ts'
import { partSchema } from './common.ts'

export const trustedNet = partSchema({
  source: Type.Optional(
    Type.Enum(['ip', 'global_filter'], { description: 'Which of the two next fields counts. Default: ip.' }),
  ),
  address: Type.Optional(Type.String({ description: 'With source ip: address or CIDR.' })),
  gf_id: Type.Optional(
    Type.String({
      description: 'With source global_filter: the filter whose ip conditions count, in all sections.',
      refersTo: 'global-filters',
    }),
  ),
  comment: Type.Optional(Type.Union([Type.String(), Type.Null()], { description: 'For people.' })),
})

/** A CIDR, or the id of a global filter with the field that names it. */
export type TrustedSource =
  | { readonly kind: 'cidr'; readonly cidr: string }
  | { readonly kind: 'filter'; readonly filterId: string; readonly field: string }

function readOne(net: Static<typeof trustedNet>, at: string, report: Report): TrustedSource | undefined {
  const source = net.source ?? 'ip'
  const used = source === 'ip' ? 'address' : 'gf_id'
  const other = source === 'ip' ? 'gf_id' : 'address'
  if ((net[other] ?? '') !== '')
    report.problem(`${at}.${other}`, unknownField(other, ['source', used, 'comment']))
  const value = net[used] ?? ''
  if (value === '') {
    const what = used === 'address' ? 'an address or CIDR' : 'the id of a global filter'
    report.problem(`${at}.${used}`, required(used, what))
    return undefined
  }
  if (used === 'gf_id') return { kind: 'filter', filterId: value, field: `${at}.gf_id` }
  if (parseCidr(value) !== undefined) return { kind: 'cidr', cidr: value }
  report.problem(`${at}.address`, badAddress(value))
  return undefined
}

/** @param field of the list, for messages */
export const readTrustedNets = (
  nets: readonly Static<typeof trustedNet>[],
  field: string,
  report: Report,
): readonly TrustedSource[] => nets.flatMap((net, i) => readOne(net, fieldPath(field, i), report) ?? [])
