// YAML files: the same documents with less punctuation. Duplicate keys and tabs are errors of the parser itself; only the
// JSON types are read, so that `no` and dates stay what they look like.
import { CORE_SCHEMA, YAMLException, loadAll } from 'js-yaml'
import type { Parsed } from './json-text.ts'

export function parseYaml(text: string): Parsed {
  try {
    const documents = loadAll(text, { schema: CORE_SCHEMA })
    if (documents.length > 1) {
      return { ok: false, problem: { line: 1, column: 1, why: 'more than one YAML document in the file' } }
    }
    return { ok: true, value: documents[0] ?? null }
  } catch (error) {
    const mark = error instanceof YAMLException ? error.mark : undefined
    const reason = error instanceof YAMLException ? error.reason : String(error)
    const line = mark?.line ?? 0
    // The parser stumbles over what a tab leads to and does not name the tab.
    const tab = /^ *\t/.exec(text.split(/\r\n|[\r\n]/)[line] ?? '')?.[0].length
    return {
      ok: false,
      problem:
        tab === undefined
          ? { line: line + 1, column: (mark?.column ?? 0) + 1, why: reason }
          : { line: line + 1, column: tab, why: 'tab in the indentation, write spaces' },
    }
  }
}
