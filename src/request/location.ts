// Where a client is (spec pipeline 1.4), from databases on this machine: no request waits for a network. A look-up costs
// about 20 µs, most of it the walk through the tree of cities, so that recent addresses are remembered.
import { parseCidr, readAddress } from '#platform'
import type { NamedSystem, Place } from './location/city-record.ts'
import { type Database, type Found, openCities, openSystems } from './location/databases.ts'
import type { Location } from './request.ts'

export type LocatorSettings = {
  /** Path of an .mmdb file in MaxMind's or DB-IP's shape; undefined: the database that ships. */
  readonly city?: string
  /** The same for autonomous systems. */
  readonly asn?: string
}

export type Locator = {
  /** Everything that is known of an address; what is not is undefined. Never throws. */
  locate(ip: string): Location
  /** Why a database is missing, one sentence each with the remedy; empty if none is. */
  readonly missing: readonly string[]
  /** Closes the files; what is not known already is unknown from then on. */
  readonly close?: () => void
}

/** Of an address that no database knows. */
export const noLocation: Location = {
  continentName: undefined,
  continentCode: undefined,
  country: undefined,
  countryCode: undefined,
  region: undefined,
  subregion: undefined,
  city: undefined,
  latitude: undefined,
  longitude: undefined,
  asn: undefined,
  organization: undefined,
  network: undefined,
}

/** Addresses that each of the two generations holds. */
const generation = 4096

/** Forgets what was not asked for during the last few thousand addresses: two maps, of which the older one is dropped. */
function remember<T>(read: (key: string) => T): (key: string) => T {
  let young = new Map<string, T>()
  let old = new Map<string, T>()
  return (key) => {
    let value = young.get(key)
    if (value !== undefined) return value
    value = old.get(key) ?? read(key)
    if (young.size >= generation) {
      old = young
      young = new Map()
    }
    young.set(key, value)
    return value
  }
}

/** The prefix of the system's announcement if it is known, else that of the city's record. */
function networkOf(
  ip: string,
  place: Found<Place> | undefined,
  system: Found<NamedSystem> | undefined,
): string | undefined {
  const bits = system?.bits ?? place?.bits
  const cidr = bits === undefined ? undefined : parseCidr(`${ip}/${String(bits)}`)
  return cidr === undefined ? undefined : `${cidr.network}/${String(cidr.bits)}`
}

type Databases = {
  readonly cities: Database<Place> | undefined
  readonly systems: Database<NamedSystem> | undefined
}

const words = new Uint32Array(4)

function readLocation({ cities, systems }: Databases, ip: string): Location {
  const family = readAddress(ip, words)
  if (family === 0) return noLocation
  const place = cities?.find(ip, family)
  const system = systems?.find(ip, family)
  if (place === undefined && system === undefined) return noLocation
  const { bits: _bits, ...where } = place ?? { bits: 0 }
  return {
    ...noLocation,
    ...where,
    asn: system?.asn,
    organization: system?.organization,
    network: networkOf(ip, place, system),
  }
}

/** Opens the databases. Never rejects: without one its fields stay undefined, and `missing` says why. */
export async function openLocator(settings: LocatorSettings): Promise<Locator> {
  const [cities, systems] = await Promise.all([openCities(settings.city), openSystems(settings.asn)])
  const databases: Databases = {
    cities: cities.ok ? cities.database : undefined,
    systems: systems.ok ? systems.database : undefined,
  }
  return {
    missing: [cities, systems].flatMap((opened) => (opened.ok ? [] : [opened.reason])),
    locate: remember((ip) => readLocation(databases, ip)),
    close() {
      databases.cities?.close()
      databases.systems?.close()
    },
  }
}
