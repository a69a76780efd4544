// Where a client is (spec pipeline 1.4), from databases on disk: no request ever waits for a network. Until databases are
// given everything is unknown, and the reason says why.
import type { Location } from './request.ts'

export type LocatorSettings = { readonly city?: string; readonly asn?: string }

export type Locator = {
  /** Everything that is known of an address; what is not is undefined. */
  locate(ip: string): Location
  /** Why a database is missing, one sentence each; empty if none is. */
  readonly missing: readonly string[]
}

const nowhere: Location = {
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

export async function openLocator(_settings: LocatorSettings): Promise<Locator> {
  return { locate: () => nowhere, missing: ['no database'] }
}
