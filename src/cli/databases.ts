// The settings of the location databases as the request room wants them: only what was given, the rest is what ships.
import type { Settings } from '#platform'
import type { LocatorSettings } from '#request'

export function databases({ values }: Settings): LocatorSettings {
  const { 'geo.city': city, 'geo.asn': asn } = values
  return { ...(city === undefined ? {} : { city }), ...(asn === undefined ? {} : { asn }) }
}
