// The content filter rules of a folder with their examples, for those who test rules. The rest of the folder may be wrong
// or missing: a collection of rules is tested alone as well as in the configuration that it becomes part of.
import { contentFilterProfiles } from './documents/content-filter-profiles.ts'
import { type RuleWithExamples, contentFilterRulesWithExamples } from './documents/content-filter-rules.ts'
import { finding } from './findings.ts'
import type { ContentFilterProfile } from './policy.ts'
import { type Problem, noFindings, reportAt } from './problem.ts'
import { readEntries } from './read/read-entries.ts'
import { readFolder } from './read/read-folder.ts'
import { withBuiltin } from './read/with-builtin.ts'

/** What a profile says about the texts that rules see. */
export type ValueReading = Pick<ContentFilterProfile, 'decoding' | 'ignoreAlphanum'>

export type RuleFolder =
  | { readonly ok: true; readonly rules: readonly RuleWithExamples[]; readonly reading: ValueReading }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Profiles differ in what they decode; rules are written for the default one, the folder's or else the built-in. */
const profileId = '__defaultcontentfilter__'

/** Documents in which a problem matters here; '' is the folder itself. */
const read = new Set(['', contentFilterRulesWithExamples.namespace, contentFilterProfiles.namespace])

/** Reads the rules of a folder in their order. */
export function readRuleFolder(folder: string): RuleFolder {
  const findings = noFindings()
  const documents = readFolder(folder, findings)
  const { namespace } = contentFilterRulesWithExamples
  if (findings.problems.length === 0 && !documents.has(namespace)) {
    reportAt(findings, { file: folder, document: '', entry: '' }).problem(
      '',
      finding(
        'the folder has no content filter rules',
        `Name the folder that holds ${namespace}.json or ${namespace}.yaml.`,
      ),
    )
  }
  const rules = readEntries(contentFilterRulesWithExamples, documents.get(namespace), findings)
  const profiles = withBuiltin(
    readEntries(contentFilterProfiles, documents.get(contentFilterProfiles.namespace), findings),
  )
  const problems = findings.problems.filter(({ document }) => read.has(document))
  const profile = profiles.entries.get(profileId)
  if (problems.length > 0 || profile === undefined) return { ok: false, problems }
  const { decoding, ignoreAlphanum } = profile
  return { ok: true, rules: [...rules.entries.values()], reading: { decoding, ignoreAlphanum } }
}
