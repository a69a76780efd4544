// What an entry of the system database is: a value under a fixed id, with a schema of its own. Each has one file here and
// one line in the list of ../system-db.ts.
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Report } from '../../problem.ts'
import { explain } from '../../schema/explain.ts'
import { fold } from '../../schema/fold.ts'
import type { SystemValues } from './system-values.ts'

export type SystemEntry = {
  readonly id: string
  readonly description: string
  /** The value is checked, and nothing does anything with it yet: what it waits for, as a phrase. */
  readonly waitsFor?: string
  /** JSON Schema of the value, aliases already folded. */
  readonly schema: TSchema
  readonly example: unknown
  /** Reads the value; what is wrong goes into `report` under `value`. */
  read(value: unknown, report: Report): SystemValues | undefined
}

type Declaration<Schema extends TSchema> = Omit<SystemEntry, 'read' | 'schema'> & {
  readonly schema: Schema
  /** From a value of the right shape. Fields of `report` are paths in the value. */
  parse(value: Static<Schema>, report: Report): SystemValues
}

const place = (field: string): string => {
  if (field === '') return 'value'
  return field.startsWith('[') ? `value${field}` : `value.${field}`
}

/** A report whose fields are paths in the value. */
export const inValue = (report: Report): Report => ({
  problem: (field, finding) => report.problem(place(field), finding),
  warning: (field, finding) => report.warning(place(field), finding),
})

export function defineSystemEntry<Schema extends TSchema>(declaration: Declaration<Schema>): SystemEntry {
  const { parse, ...entry } = declaration
  let compiled: ReturnType<typeof Compile<Schema>> | undefined
  return {
    ...entry,
    read(raw, outer) {
      const report = inValue(outer)
      const value = fold(entry.schema, raw, '', report)
      compiled ??= Compile(entry.schema)
      if (compiled.Check(value)) return parse(value, report)
      explain(entry.schema, value, '', report)
      return undefined
    },
  }
}
