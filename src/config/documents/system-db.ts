// The system database: settings of a configuration as a whole, each under a fixed id (spec control-plane 1.8). Ids that
// Weir does not know are accepted with a warning: the database is also where operators keep what is theirs.
import { type Static, Type } from 'typebox'
import { closest } from '../closest.ts'
import { finding } from '../findings.ts'
import type { Report } from '../problem.ts'
import { defineDocument } from './document.ts'
import { entrySchema, identityOf } from './common.ts'
import { cdn } from './system/cdn.ts'
import { featureToggle } from './system/feature-toggle.ts'
import { logExporter } from './system/log-exporter.ts'
import { planet } from './system/planet.ts'
import { publishinfo } from './system/publishinfo.ts'
import { regions } from './system/regions.ts'
import type { SystemEntry } from './system/system-entry.ts'
import type { SystemValues } from './system/system-values.ts'
import { tags } from './system/tags.ts'
import { traffic } from './system/traffic.ts'

export type { FeatureToggles, SystemValues } from './system/system-values.ts'

/** The entries that Weir reads. */
export const systemEntries: readonly SystemEntry[] = [
  planet,
  featureToggle,
  regions,
  publishinfo,
  logExporter,
  traffic,
  tags,
  cdn,
]

const schema = entrySchema({
  value: Type.Unknown({ description: 'What is set; its form depends on the id.' }),
})

export type SystemDbEntry = { readonly id: string; readonly name: string; readonly values: SystemValues }

function parse(entry: Static<typeof schema>, report: Report): SystemDbEntry | undefined {
  const kind = systemEntries.find(({ id }) => id === entry.id)
  if (kind !== undefined) {
    const values = kind.read(entry.value, report)
    return values === undefined ? undefined : { ...identityOf(entry), values }
  }
  const ids = systemEntries.map(({ id }) => id)
  const near = closest(entry.id, ids)
  report.warning(
    'id',
    finding(
      `nothing reads the entry "${entry.id}"`,
      `${near === undefined ? '' : `Did you mean "${near}"? `}Weir reads ${ids.join(', ')}.`,
    ),
  )
  return { ...identityOf(entry), values: {} }
}

export const systemDb = defineDocument({
  namespace: 'system-db',
  noun: 'system entry',
  title: 'System database',
  description: 'Settings of the configuration as a whole, one entry each.',
  schema,
  fixedEntries: systemEntries,
  examples: systemEntries.map(({ id, example }) => ({ id, name: id, value: example })),
  parse,
})
