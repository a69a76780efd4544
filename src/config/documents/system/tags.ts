// The colours in which the console shows tags.
import { Type } from 'typebox'
import { finding } from '../../findings.ts'
import { fieldPath } from '../../schema/json.ts'
import { normaliseTag } from '../../tag.ts'
import { partSchema, tagList } from '../common.ts'
import { defineSystemEntry } from './system-entry.ts'

const kinds = ['legitimate', 'neutral', 'malicious'] as const

export const tags = defineSystemEntry({
  id: 'tags',
  description: 'Colours of tags in the console.',
  waitsFor: 'a console',
  schema: partSchema({
    legitimate: Type.Optional(tagList('Shown as harmless.')),
    neutral: Type.Optional(tagList('Shown without colour.')),
    malicious: Type.Optional(tagList('Shown as attacks.')),
  }),
  example: { legitimate: ['search-engine'], neutral: ['all'], malicious: ['tor'] },
  parse(value, report) {
    const seen = new Map<string, string>()
    for (const kind of kinds)
      (value[kind] ?? []).forEach((tag, i) => {
        const name = normaliseTag(tag)
        const other = seen.get(name)
        if (other !== undefined && other !== kind)
          report.warning(
            fieldPath(kind, i),
            finding(`"${name}" is in ${other} as well`, 'Keep the tag in one of the lists.'),
          )
        seen.set(name, kind)
      })
    return {}
  },
})
