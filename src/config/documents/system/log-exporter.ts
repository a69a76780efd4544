// How much of a request goes to a SIEM, field by field (spec traffic 6.3).
import { Type } from 'typebox'
import { partSchema } from '../common.ts'
import { defineSystemEntry } from './system-entry.ts'

/** Characters of a field in an exported record. */
const defaults = {
  request: 2048,
  block_reason: 512,
  user_agent: 512,
  referer: 1024,
  captured_vector: 256,
  tags: 4096,
  messages: 2048,
  encoded_fields: 1024,
  default: 1024,
} as const

const length = (byDefault: number) =>
  Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1_048_576,
      description: `Characters. Default: ${String(byDefault)}.`,
    }),
  )

const defaultParameters = 100

export const logExporter = defineSystemEntry({
  id: 'log-exporter',
  description: 'Limits of exported records; longer values are cut.',
  waitsFor: 'exporters of events',
  schema: partSchema({
    max_characters: Type.Optional(
      partSchema(
        {
          request: length(defaults.request),
          block_reason: length(defaults.block_reason),
          user_agent: length(defaults.user_agent),
          referer: length(defaults.referer),
          captured_vector: length(defaults.captured_vector),
          tags: length(defaults.tags),
          messages: length(defaults.messages),
          encoded_fields: length(defaults.encoded_fields),
          default: length(defaults.default),
        },
        { description: 'How much of each field is exported; default: of any other.' },
      ),
    ),
    request_data_max_parameters_num: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 10_000,
        description: `Query arguments, body arguments, headers and cookies, each. Default: ${String(defaultParameters)}.`,
      }),
    ),
  }),
  example: { max_characters: { request: 2048, encoded_fields: 1024 }, request_data_max_parameters_num: 100 },
  parse: ({ max_characters: given, request_data_max_parameters_num: parameters }) => ({
    exportLimits: {
      maxCharacters: { ...defaults, ...given },
      maxParameters: parameters ?? defaultParameters,
    },
  }),
})
