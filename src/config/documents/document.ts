// What a kind of document is: declared once, with its schema, words and examples together. Reading, checking,
// `weir validate` and the reference pages are loops over the list in index.ts; no other code knows a kind by name.
import type { Static, TObject, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Report } from '../problem.ts'
import { explain } from '../schema/explain.ts'
import { fold } from '../schema/fold.ts'

export type FixedEntry = {
  readonly id: string
  readonly description: string
  /** As in `DocumentKind`. */
  readonly waitsFor?: string
  readonly schema: TSchema
}

export type DocumentKind<Parsed> = {
  /** Name of the API namespace and of the file, `rate-limit-rules`. */
  readonly namespace: string
  /** What one entry is called in messages, `rate limit rule`. */
  readonly noun: string
  readonly title: string
  readonly description: string
  /** Entries are checked, and nothing does anything with them yet: what they wait for, as a phrase. */
  readonly waitsFor?: string
  /** JSON Schema of one entry, aliases already folded. */
  readonly schema: TSchema
  readonly examples: readonly unknown[]
  /** Entries with an id of their own meaning, and the schema of their field `value`. */
  readonly fixedEntries?: readonly FixedEntry[]
  /**
   * Reads one entry: folds aliases, checks it against the schema, then everything that can be said without the
   * other documents (expressions, addresses, duplicates). Writes what is wrong into `report`; undefined when the
   * entry has not even the right shape.
   */
  read(raw: unknown, report: Report): Parsed | undefined
}

type Declaration<Schema extends TObject, Parsed> = Omit<DocumentKind<Parsed>, 'read' | 'schema'> & {
  readonly schema: Schema
  /** From an entry of the right shape to the form that is resolved; references are still ids. Undefined: reported. */
  parse(entry: Static<Schema>, report: Report): Parsed | undefined
}

/** Declares a kind. The schema is compiled when the first entry is read. */
export function defineDocument<Schema extends TObject, Parsed>(
  declaration: Declaration<Schema, Parsed>,
): DocumentKind<Parsed> {
  const { parse, ...kind } = declaration
  let compiled: ReturnType<typeof Compile<Schema>> | undefined
  return {
    ...kind,
    read(raw, report) {
      const entry = fold(kind.schema, raw, '', report)
      compiled ??= Compile(kind.schema)
      if (compiled.Check(entry)) return parse(entry, report)
      explain(kind.schema, entry, '', report)
      return undefined
    },
  }
}
