// Records of .mmdb databases to what Weir knows of a place (spec pipeline 1.4). Two shapes are about: MaxMind's, nested and
// in many languages, and the flat one of the databases that ship. Nothing in a record is trusted to be there.
import type { Location, LocationFlag } from '../request.ts'
import { continentName, continentOf, countryName } from './countries.ts'
import { regionCode } from './regions.ts'

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null

const at = (value: unknown, key: string): unknown => (isFields(value) ? value[key] : undefined)

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined
const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)
const englishName = (value: unknown): string | undefined => text(at(at(value, 'names'), 'en'))

/** ISO code if the database has it, else the code that belongs to the name, else the name. */
function region(
  country: string | undefined,
  code: string | undefined,
  name: string | undefined,
): string | undefined {
  if (code !== undefined || name === undefined) return code
  return (country === undefined ? undefined : regionCode(country, name)) ?? name
}

function subdivision(record: Fields, index: number, country: string | undefined): string | undefined {
  const listed: unknown = at(record['subdivisions'], String(index))
  return region(
    country,
    text(at(listed, 'iso_code')),
    englishName(listed) ?? text(record[`state${String(index + 1)}`]),
  )
}

const flagFields: readonly (readonly [field: string, flag: LocationFlag])[] = [
  ['is_anonymous', 'anon'],
  ['is_anonymous_proxy', 'anon'],
  ['is_public_proxy', 'anon'],
  ['is_residential_proxy', 'anon'],
  ['proxy', 'anon'],
  ['is_satellite_provider', 'sat'],
  ['satellite', 'sat'],
  ['is_anonymous_vpn', 'vpn'],
  ['vpn', 'vpn'],
  ['is_tor_exit_node', 'tor'],
  ['tor', 'tor'],
  ['relay', 'relay'],
  ['is_hosting_provider', 'hosting'],
  ['hosting', 'hosting'],
  ['mobile', 'mobile'],
]

/** Some databases write booleans as text. */
const isSet = (value: unknown): boolean => value === true || value === 1 || value === 'true'

function flagsOf(record: Fields): readonly LocationFlag[] {
  const traits = at(record, 'traits')
  const set = flagFields.flatMap(([field, flag]) =>
    isSet(record[field]) || isSet(at(traits, field)) ? [flag] : [],
  )
  const connection = text(at(traits, 'connection_type')) ?? text(record['connection_type'])
  return [...new Set<LocationFlag>(connection === 'Cellular' ? [...set, 'mobile'] : set)]
}

export type Place = Omit<Location, 'asn' | 'organization' | 'network'>

export function readPlace(record: unknown): Place | undefined {
  if (!isFields(record)) return undefined
  const country = isFields(record['country']) ? record['country'] : record['registered_country']
  const countryCode = text(at(country, 'iso_code')) ?? text(record['country_code']) ?? text(record['country'])
  const continent = countryCode === undefined ? undefined : continentOf(countryCode)
  const continentCode = text(at(record['continent'], 'code')) ?? continent?.code
  const where = record['location']
  const flags = flagsOf(record)
  const service = text(record['service'])
  return {
    continentCode,
    continentName:
      englishName(record['continent']) ??
      (continentCode === undefined ? undefined : continentName(continentCode)),
    country: englishName(country) ?? (countryCode === undefined ? undefined : countryName(countryCode)),
    countryCode,
    region: subdivision(record, 0, countryCode),
    subregion: subdivision(record, 1, countryCode),
    city: englishName(record['city']) ?? text(record['city']),
    latitude: number(at(where, 'latitude')) ?? number(record['latitude']),
    longitude: number(at(where, 'longitude')) ?? number(record['longitude']),
    ...(flags.length > 0 ? { flags } : {}),
    ...(service === undefined ? {} : { privacyService: service }),
  }
}

export type NamedSystem = { readonly asn: number; readonly organization: string | undefined }

/** `AS15169` and 15169 are the same number. */
function systemNumber(value: unknown): number | undefined {
  if (typeof value !== 'string') return number(value)
  const digits = /^(?:AS)?(\d{1,10})$/.exec(value)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

export function readSystem(record: unknown): NamedSystem | undefined {
  if (!isFields(record)) return undefined
  const asn = systemNumber(record['autonomous_system_number'] ?? record['asn'])
  if (asn === undefined) return undefined
  const organization =
    text(record['autonomous_system_organization']) ?? text(record['organization']) ?? text(record['name'])
  return { asn, organization }
}
