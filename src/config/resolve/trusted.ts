// Trusted sources: networks as they are written, and those that a global filter lists. A filter gives every `ip` condition
// of its rule, in all sections and whatever their relations, and nothing else (spec control-plane 1.4, E34).
import type { GlobalFilterEntry } from '../documents/global-filters.ts'
import type { TrustedSource } from '../documents/trusted-nets.ts'
import { finding } from '../findings.ts'
import type { Rule } from '../policy.ts'
import type { Report } from '../problem.ts'
import { type Target, follow } from './references.ts'

type Addresses = { readonly cidrs: readonly string[]; readonly inverse: boolean }

/** Inverse conditions cannot be told as a list of networks. */
function addressesOf(rule: Rule): Addresses {
  const parts = rule.entries.map((entry): Addresses => {
    if (!('match' in entry)) return addressesOf(entry)
    if (entry.match !== 'ip') return { cidrs: [], inverse: false }
    return entry.inverse ? { cidrs: [], inverse: true } : { cidrs: [entry.cidr], inverse: false }
  })
  return { cidrs: parts.flatMap(({ cidrs }) => cidrs), inverse: parts.some(({ inverse }) => inverse) }
}

function trustedBy(filter: GlobalFilterEntry, field: string, report: Report): readonly string[] {
  const { cidrs, inverse } = addressesOf(filter.rule)
  if (cidrs.length === 0) {
    report.problem(
      field,
      finding(
        `global filter "${filter.id}" has no IP entry`,
        'Name a filter with IP entries, or write the addresses here.',
      ),
    )
  } else if (inverse) {
    report.warning(
      field,
      finding(
        `inverse IP entries of global filter "${filter.id}" are left out`,
        'List the trusted networks themselves.',
      ),
    )
  }
  return cidrs
}

/** The networks, each once, in document order. */
export function resolveTrusted(
  sources: readonly TrustedSource[],
  filters: Target<GlobalFilterEntry>,
  report: Report,
): readonly string[] {
  const cidrs = sources.flatMap((source) => {
    if (source.kind === 'cidr') return [source.cidr]
    const filter = follow(filters, source.filterId, source.field, report)
    return filter === undefined ? [] : trustedBy(filter, source.field, report)
  })
  return [...new Set(cidrs)]
}
