// How events are shown (spec control-plane 1.8).
import { Type } from 'typebox'
import { partSchema } from '../common.ts'
import { defineSystemEntry } from './system-entry.ts'

export const traffic = defineSystemEntry({
  id: 'traffic',
  description: 'How events are shown.',
  waitsFor: 'a console',
  schema: partSchema({
    defer_arguments: Type.Optional(
      Type.Boolean({
        description: 'The console fetches the arguments of an event when they are asked for. Default: false.',
      }),
    ),
  }),
  example: { defer_arguments: false },
  parse: ({ defer_arguments: deferArguments = false }) => ({ deferArguments }),
})
