// A document completed by the entries that every configuration has (`builtin.ts`).
import { builtin } from '../builtin.ts'
import { silent } from '../problem.ts'
import type { Document } from './read-entries.ts'

/** The operator's entries, and the built-in ones that they leave out. */
export function withBuiltin<Parsed extends { readonly id: string }>(
  document: Document<Parsed>,
): Document<Parsed> {
  const entries = new Map(document.entries)
  for (const raw of builtin[document.kind.namespace] ?? []) {
    const parsed = document.kind.read(raw, silent)
    if (parsed !== undefined && !entries.has(parsed.id)) entries.set(parsed.id, parsed)
  }
  return { ...document, entries }
}
