// Names for the short codes by which Envoys and filters say where they are (spec control-plane 1.5).
import { Type } from 'typebox'
import { finding } from '../../findings.ts'
import { fieldPath } from '../../schema/json.ts'
import { isRegionCode } from '../region-code.ts'
import { partSchema } from '../common.ts'
import { defineSystemEntry } from './system-entry.ts'

export const regions = defineSystemEntry({
  id: 'regions',
  description: 'Cities of the locations and datacenters that load balancers name.',
  waitsFor: 'a console',
  schema: partSchema({
    city_codes: Type.Optional(
      Type.Record(Type.String(), Type.String(), { description: 'Short code → city. Default: none.' }),
    ),
  }),
  example: { city_codes: { ffm: 'Frankfurt', lax: 'Los Angeles' } },
  parse({ city_codes: codes = {} }, report) {
    for (const code of Object.keys(codes)) {
      if (isRegionCode(code)) continue
      report.problem(
        fieldPath('city_codes', code),
        finding('must be a code of 1 to 32 letters, digits, "_" or "-"', 'Shorten the code.'),
      )
    }
    return { cities: new Map(Object.entries(codes)) }
  },
})
