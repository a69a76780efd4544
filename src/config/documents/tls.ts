// TLS versions and cipher suites, as templates and server groups both write them (spec control-plane 1.4, 2.2).
import { Type } from 'typebox'
import { finding } from '../findings.ts'
import type { TlsSettings, TlsVersion } from '../policy.ts'
import type { Report } from '../problem.ts'

const versions = ['TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const satisfies readonly TlsVersion[]

export const protocolList = Type.Array(Type.Enum([...versions]))

/** Suites of TLS up to 1.2 that Envoy's BoringSSL knows; those of 1.3 cannot be chosen. */
const suites: ReadonlySet<string> = new Set([
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-SHA',
  'AES256-SHA',
])

export const defaultTls: TlsSettings = { least: 'TLSv1.2', most: 'TLSv1.3', ciphers: [] }

type Given = { readonly ssl_protocols?: readonly TlsVersion[] | null; readonly ssl_ciphers?: string | null }

function readVersions(given: readonly TlsVersion[], report: Report): Pick<TlsSettings, 'least' | 'most'> {
  const chosen = versions.filter((version) => given.includes(version))
  const [least = defaultTls.least] = chosen
  const most = chosen.at(-1) ?? defaultTls.most
  if (chosen.length === 2 && least === 'TLSv1.1' && most === 'TLSv1.3')
    report.problem('ssl_protocols', finding('not contiguous', 'Add TLSv1.2, or leave out TLSv1.1.'))
  return { least, most }
}

function readCiphers(given: string, report: Report): readonly string[] {
  const names = given
    .split(':')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  for (const name of names) {
    if (suites.has(name)) continue
    report.problem(
      'ssl_ciphers',
      finding(
        `cipher suite "${name.slice(0, 80)}" is not known to Envoy`,
        `Use names from: ${[...suites].join(', ')}. Suites of TLS 1.3 cannot be chosen.`,
      ),
    )
  }
  return names
}

/** What a document says of TLS; what it leaves out comes from elsewhere. */
export function readTls(given: Given, report: Report): Partial<TlsSettings> {
  const protocols = given.ssl_protocols ?? []
  const ciphers = given.ssl_ciphers ?? ''
  return {
    ...(protocols.length === 0 ? {} : readVersions(protocols, report)),
    ...(ciphers === '' ? {} : { ciphers: readCiphers(ciphers, report) }),
  }
}
