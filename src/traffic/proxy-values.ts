// The list `proxy` of an event (spec traffic 1.2): names that the manual's users know, as text; null where nothing is known.
import type { AccessLogEntry } from '#envoy'

/** What the event says already, repeated here under the manual's names. */
export type Repeated = {
  readonly request_id: string
  readonly status: number
  readonly request_length: number
  readonly bytes_sent: number
  readonly request_time: number
  readonly organization: string | null
}

type Value = { readonly name: string; readonly value: string | null }

/** Of these the shipped databases have nothing. */
const unknown = [
  'additional_tags',
  'container',
  'geo_as_domain',
  'geo_as_type',
  'geo_company_country',
  'geo_company_domain',
  'geo_company_type',
  'geo_lat',
  'geo_long',
  'geo_mobile_carrier',
  'geo_mobile_country',
  'geo_mobile_mcc',
  'geo_mobile_mnc',
].map((name): Value => ({ name, value: null }))

export function proxyValues(entry: AccessLogEntry, repeated: Repeated): readonly Value[] {
  const { tls, peer } = entry
  return [
    ...unknown,
    { name: 'bytes_sent', value: String(repeated.bytes_sent) },
    { name: 'geo_as_name', value: repeated.organization },
    { name: 'realip', value: peer?.address ?? null },
    { name: 'request_id', value: repeated.request_id },
    { name: 'request_length', value: String(repeated.request_length) },
    { name: 'request_time', value: String(repeated.request_time) },
    { name: 'ssl_cipher', value: tls?.cipher ?? null },
    { name: 'ssl_protocol', value: tls?.version ?? null },
    { name: 'status', value: String(repeated.status) },
  ]
}
