// What the content filter looks for and what a parameter may contain (spec pipeline 4.9, 7.7).
import { type Static, Type } from 'typebox'
import { duplicate, finding, required } from '../findings.ts'
import { checkJsonPath } from '../json-path.ts'
import type { ContentFilterProfile, Section, SectionEntry, SectionName } from '../policy.ts'
import type { Report } from '../problem.ts'
import { fieldPath } from '../schema/json.ts'
import { defineDocument } from './document.ts'
import {
  entrySchema,
  identityOf,
  optionalReference,
  partSchema,
  readPattern,
  readTags,
  tagList,
} from './common.ts'

const sectionEntry = partSchema(
  {
    key: Type.String({ description: 'Name of the parameter; in `regex` an expression.' }),
    reg: Type.Optional(
      Type.String({
        description: 'Matching Value: expression, `!` in front inverts it. Default: matches everything.',
      }),
    ),
    restrict: Type.Boolean({ description: 'Refuse values that do not match.' }),
    mask: Type.Optional(
      Type.Boolean({ description: 'Replace the value by a hash in events. Default: false.' }),
    ),
    ignore_cf_rule_tags: Type.Optional(
      tagList('Rules with one of these tags do not look at values that match. Also: `exclusions`.'),
    ),
  },
  { aliases: { exclusions: 'ignore_cf_rule_tags' } },
)

const sectionFields = {
  enable_max_count: Type.Optional(Type.Boolean({ description: 'Default: true.' })),
  enable_max_length: Type.Optional(Type.Boolean({ description: 'Default: true.' })),
  max_count: Type.Optional(Type.Integer({ minimum: 1, description: 'Parameters. Default: 42.' })),
  max_length: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Bytes of UTF-8 of one value. Default: 2048.' }),
  ),
  names: Type.Optional(Type.Array(sectionEntry, { description: 'By exact name. Default: none.' })),
  regex: Type.Optional(Type.Array(sectionEntry, { description: 'By expression. Default: none.' })),
}
const section = (description: string) => partSchema(sectionFields, { description })

const schema = entrySchema({
  action: Type.Optional(
    optionalReference(
      'actions',
      'Action of the content filter. Default or empty: `action-contentfilter-block`.',
    ),
  ),
  active: Type.Optional(tagList('Rules with one of these tags execute the action.')),
  report: Type.Optional(tagList('Rules with one of these tags are only reported.')),
  ignore: Type.Optional(
    tagList('Requests with one of these tags are exempt; rules with one are not evaluated.'),
  ),
  ignore_alphanum: Type.Boolean({ description: 'Values of ASCII letters and digits only are not examined.' }),
  ignore_body: Type.Optional(Type.Boolean({ description: 'Bodies are not examined. Default: false.' })),
  content_type: Type.Optional(
    Type.Array(Type.Enum(['json', 'xml', 'url_encoded', 'multipart_form', 'graphql']), {
      description: 'Kinds of bodies that are accepted. Default: all.',
    }),
  ),
  decoding: partSchema(
    {
      base64: Type.Optional(Type.Boolean({ description: 'Default: true.' })),
      dual: Type.Optional(Type.Boolean({ description: 'A second percent-decoding. Default: false.' })),
      html: Type.Optional(Type.Boolean({ description: 'HTML entities. Default: false.' })),
      unicode: Type.Optional(Type.Boolean({ description: 'Backslash escapes. Default: false.' })),
    },
    { description: 'Encodings that are undone for the rules.' },
  ),
  graphql_path: Type.Optional(
    Type.String({
      description: 'JSONPath of GraphQL texts inside JSON. Default: strings that look like it.',
    }),
  ),
  masking_seed: Type.String({
    minLength: 1,
    description:
      'Salt of masked values and session ids; keep it secret. CHANGEME: each machine makes one of its own (setting masking.seed).',
  }),
  headers: section('Headers.'),
  cookies: section('Cookies.'),
  args: section('Arguments of query and body.'),
  path: section('Path parts.'),
  allsections: Type.Optional(
    section('Entries for every section; its limits have no effect. Default: empty.'),
  ),
  plugins: Type.Optional(section('Plugin values. Default: empty.')),
  max_body_depth: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Levels of nesting. Default: 100.' }),
  ),
  max_body_size: Type.Optional(Type.Integer({ minimum: 1, description: 'Bytes. Default: unlimited.' })),
  referer_as_uri: Type.Optional(
    Type.Boolean({ description: 'Examine the Referer as a URI. Default: false.' }),
  ),
})
type Entry = Static<typeof schema>
type SectionDocument = NonNullable<Entry['allsections']>
type SectionEntryDocument = Static<typeof sectionEntry>

/** A profile whose action is still an id. */
export type ContentFilterProfileEntry = Omit<ContentFilterProfile, 'action'> & { readonly actionId: string }

/** What names a rule itself; every other tag is general (spec pipeline 4.9, step 5). */
const isSpecific = (tag: string): boolean => tag.startsWith('cf-rule-id:') || tag.startsWith('cf-rule-name:')

function readSectionEntry(
  entry: SectionEntryDocument,
  list: 'names' | 'regex',
  lowerCase: boolean,
  at: string,
  report: Report,
): SectionEntry {
  if (entry.key === '')
    report.problem(`${at}.key`, required('key', 'the name of a parameter, or an expression in regex'))
  if (list === 'regex') readPattern(entry.key, `${at}.key`, report)
  const reg = entry.reg ?? ''
  readPattern(reg.startsWith('!') ? reg.slice(1) : reg, `${at}.reg`, report)
  return {
    key: list === 'names' && lowerCase ? entry.key.toLowerCase() : entry.key,
    matchingValue: reg,
    restrict: entry.restrict,
    mask: entry.mask ?? false,
    ignoreRuleTags: readTags(entry.ignore_cf_rule_tags, `${at}.ignore_cf_rule_tags`, report),
  }
}

function readSectionList(
  entries: readonly SectionEntryDocument[],
  list: 'names' | 'regex',
  name: SectionName | 'allsections',
  report: Report,
): readonly SectionEntry[] {
  const seen = new Map<string, number>()
  return entries.map((entry, index) => {
    const at = fieldPath(`${name}.${list}`, index)
    const read = readSectionEntry(entry, list, name === 'headers', at, report)
    const first = seen.get(read.key)
    if (first === undefined) seen.set(read.key, index)
    else report.problem(`${at}.key`, duplicate('key', `${name}.${list}[${first}]`))
    return read
  })
}

function readSection(
  name: SectionName | 'allsections',
  document: SectionDocument | undefined,
  report: Report,
): Section {
  const {
    enable_max_count: limitCount = true,
    enable_max_length: limitLength = true,
    max_count: maxCount = 42,
    max_length: maxLength = 2048,
    names = [],
    regex = [],
  } = document ?? { enable_max_count: false, enable_max_length: false }
  const limited = name !== 'allsections'
  return {
    maxCount: limited && limitCount ? maxCount : undefined,
    maxLength: limited && limitLength ? maxLength : undefined,
    names: readSectionList(names, 'names', name, report),
    regex: readSectionList(regex, 'regex', name, report),
  }
}

function warnOf(profile: ContentFilterProfileEntry, report: Report): void {
  for (const tag of profile.active) {
    if (!isSpecific(tag) || !profile.ignore.includes(tag)) continue
    report.warning(
      'active',
      finding(`tag "${tag}" is in active and in ignore`, 'Remove it from one of the two; ignore wins.'),
    )
  }
}

function parse(entry: Entry, report: Report): ContentFilterProfileEntry {
  const path = entry.graphql_path ?? ''
  const wrong = path === '' ? undefined : checkJsonPath(path)
  if (wrong !== undefined) {
    report.problem(
      'graphql_path',
      finding(
        `invalid JSONPath at ${wrong.offset}: ${wrong.why}`,
        'Write a path such as $.query or $..[?(@.type=="gql")].text.',
      ),
    )
  }
  const profile: ContentFilterProfileEntry = {
    ...identityOf(entry),
    tags: readTags(entry.tags, 'tags', report),
    actionId: entry.action || 'action-contentfilter-block',
    active: readTags(entry.active, 'active', report),
    report: readTags(entry.report, 'report', report),
    ignore: readTags(entry.ignore, 'ignore', report),
    ignoreAlphanum: entry.ignore_alphanum,
    ignoreBody: entry.ignore_body ?? false,
    contentTypes: [...new Set(entry.content_type)],
    decoding: {
      base64: entry.decoding.base64 ?? true,
      dual: entry.decoding.dual ?? false,
      html: entry.decoding.html ?? false,
      unicode: entry.decoding.unicode ?? false,
    },
    graphqlPath: path,
    maskingSeed: entry.masking_seed,
    sections: {
      headers: readSection('headers', entry.headers, report),
      cookies: readSection('cookies', entry.cookies, report),
      args: readSection('args', entry.args, report),
      path: readSection('path', entry.path, report),
      plugins: readSection('plugins', entry.plugins, report),
      allsections: readSection('allsections', entry.allsections, report),
    },
    maxBodyDepth: entry.max_body_depth ?? 100,
    maxBodySize: entry.max_body_size,
    refererAsUri: entry.referer_as_uri ?? false,
  }
  warnOf(profile, report)
  return profile
}

const example = {
  id: 'api-filter',
  name: 'API filter',
  description: '',
  tags: [],
  action: '',
  active: ['cf-rule-risk:5', 'cf-rule-risk:4', 'cf-rule-id:libinjection-sqli'],
  report: ['cf-rule-risk:3'],
  ignore: ['malformed-body'],
  ignore_alphanum: true,
  ignore_body: false,
  content_type: ['json'],
  decoding: { base64: true, dual: true, html: false, unicode: false },
  graphql_path: '',
  masking_seed: 'a long random text',
  headers: {
    max_count: 64,
    max_length: 8192,
    names: [{ key: 'authorization', restrict: false, mask: true }],
  },
  cookies: { max_count: 64, max_length: 4096 },
  args: {
    max_count: 200,
    max_length: 65536,
    names: [{ key: 'id', reg: '^[0-9]+$', restrict: true, mask: false }],
    regex: [
      { key: '^note', reg: '', restrict: false, mask: false, ignore_cf_rule_tags: ['cf-rule-category:sqli'] },
    ],
  },
  path: { max_count: 32, max_length: 1024 },
}

export const contentFilterProfiles = defineDocument({
  namespace: 'content-filter-profiles',
  noun: 'content filter profile',
  title: 'Content filter profiles',
  description: 'Which signatures act, which are reported, and what parameters may contain.',
  schema,
  examples: [example],
  parse,
})
