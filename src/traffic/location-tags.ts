// Address and place as tags, for requests that no filter saw (spec traffic 1.5); a filter attaches the same (spec pipeline 2).
import { normaliseTag } from '#config'
import type { Location } from '#request'

type Part = (location: Location) => string | number | undefined

const parts: readonly (readonly [prefix: string, part: Part])[] = [
  ['geo-continent-name', ({ continentName }) => continentName],
  ['geo-continent-code', ({ continentCode }) => continentCode],
  ['geo-country', ({ country }) => country],
  ['geo-region', ({ region }) => region],
  ['geo-subregion', ({ subregion }) => subregion],
  ['geo-city', ({ city }) => city],
  ['geo-asn', ({ asn }) => asn],
  ['geo-org', ({ organization }) => organization],
  ['network', ({ network }) => network],
]

const tag = (prefix: string, value: string | number | undefined): string =>
  normaliseTag(`${prefix}:${value === undefined || value === '' ? 'nil' : String(value)}`.slice(0, 256))

export const locationTags = (ip: string, location: Location | undefined): readonly string[] => [
  tag('ip', ip),
  ...parts.map(([prefix, part]) => tag(prefix, location === undefined ? undefined : part(location))),
]
