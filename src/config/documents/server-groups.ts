// Sites: the hosts that one policy and one proxy template serve (spec control-plane 1.1).
import { type Static, Type } from 'typebox'
import { badPattern, finding, notUsedYet, required } from '../findings.ts'
import { readServerName } from '../hosts.ts'
import type { ServerGroup, ServerName, TlsSettings } from '../policy.ts'
import type { Report } from '../problem.ts'
import { fieldPath } from '../schema/json.ts'
import { defineDocument } from './document.ts'
import { entrySchema, identityOf, reference } from './common.ts'
import { checkListUrls } from './list-urls.ts'
import { protocolList, readTls } from './tls.ts'

const schema = entrySchema({
  server_names: Type.Array(Type.String({ minLength: 1, maxLength: 1024 }), {
    minItems: 1,
    maxItems: 100,
    description:
      'Hosts: literal names, `*.` names, addresses, else RE2 expressions on the whole host. `__default__`: every other host.',
  }),
  security_policy: Type.Optional(reference('security-policies', 'Security policy. Default: `__default__`.')),
  proxy_template: Type.Optional(reference('proxy-templates', 'Proxy template. Default: `__default__`.')),
  mobile_application_group: Type.Optional(
    reference('mobile-application-groups', 'Mobile application group. Default: `__default__`, none.', {
      waitsFor: 'the check of signatures of apps',
    }),
  ),
  ssl_certificate: Type.Optional(reference('certificates', 'Server certificate. Default: `placeholder`.')),
  client_certificate: Type.Optional(reference('certificates', 'CA of client certificates. Default: empty.')),
  client_certificate_mode: Type.Optional(
    Type.Enum(['off', 'on', 'optional'], {
      description: 'Whether clients show a certificate. Default: off.',
    }),
  ),
  client_certificate_crl_active: Type.Optional(
    Type.Boolean({
      description:
        'Refuse certificates that their CA has revoked, by the lists of client_certificate_crl and of the CA. Default: false.',
    }),
  ),
  client_certificate_crl: Type.Optional(
    Type.Array(Type.String(), { description: 'URLs of revocation lists (http or https; DER or PEM).' }),
  ),
  challenge_cookie_domain: Type.Optional(
    Type.String({
      description: 'Domain of challenge cookies. Default: `$host`, the host of the request.',
      waitsFor: 'challenges that a client can pass',
    }),
  ),
  ssl_protocols: Type.Optional(
    Type.Union([Type.Null(), protocolList], {
      description: "Instead of the template's. Default: null.",
      expected: 'null or a list of TLSv1.1, TLSv1.2, TLSv1.3',
    }),
  ),
  ssl_ciphers: Type.Optional(
    Type.Union([Type.Null(), Type.String()], { description: "Instead of the template's. Default: null." }),
  ),
  http_redirect: Type.Optional(
    Type.Union(
      [Type.Literal('off'), Type.Literal(301), Type.Literal(302), Type.Literal(307), Type.Literal(308)],
      {
        description: 'Status with which plaintext requests are sent to https. Default: off.',
        expected: 'one of off, 301, 302, 307, 308',
      },
    ),
  ),
  tcp_passthrough: Type.Optional(Type.Boolean({ description: 'TLS is not terminated. Default: false.' })),
})
type Entry = Static<typeof schema>

/** A group that names its policy and template by id. */
export type ServerGroupEntry = Omit<
  ServerGroup,
  'policy' | 'template' | 'certificate' | 'clientCertificate' | 'tls'
> & {
  readonly policyId: string
  readonly templateId: string
  readonly certificateId: string
  readonly mobileGroupId: string
  readonly clientCertificate: {
    readonly mode: 'off' | 'on' | 'optional'
    readonly caId: string
    readonly crl: readonly string[] | undefined
  }
  readonly ownTls: Partial<TlsSettings>
}

/** What people write for a host, and what is read as an expression that no host fits: `www.example.com.`, a URL. */
function warnOfLookalike(text: string, name: ServerName, field: string, report: Report): void {
  if (name.kind !== 'regex' || !/^[\w.:/-]+$/.test(text)) return
  report.warning(
    field,
    finding(
      'is no host name and therefore read as an expression',
      'Write the host alone, without scheme, path or dots at the ends; begin with ~ if an expression is meant.',
    ),
  )
}

function readNames(names: readonly string[], report: Report): readonly ServerName[] {
  return names.flatMap((text, index) => {
    const read = readServerName(text)
    if (read.ok) {
      warnOfLookalike(text, read.name, fieldPath('server_names', index), report)
      return [read.name]
    }
    if (text === '*') {
      report.problem(
        fieldPath('server_names', index),
        finding('must be a host, a *. name or an expression', 'Write "__default__" for every other host.'),
      )
      return []
    }
    report.problem(fieldPath('server_names', index), badPattern(read.problem))
    return []
  })
}

/** What the document may say and this version does not do. */
function checkUnused(entry: Entry, report: Report): void {
  if (!['', '$host', undefined].includes(entry.challenge_cookie_domain)) {
    report.warning('challenge_cookie_domain', notUsedYet('challenge_cookie_domain'))
  }
}

function readClientCertificate(entry: Entry, report: Report): ServerGroupEntry['clientCertificate'] {
  const mode = entry.client_certificate_mode ?? 'off'
  const caId = entry.client_certificate ?? ''
  if (mode !== 'off' && caId === '')
    report.problem(
      'client_certificate',
      required('client_certificate', 'the CA that clients are checked against'),
    )
  const crl = entry.client_certificate_crl ?? []
  checkListUrls('client_certificate_crl', crl, report)
  if (entry.client_certificate_crl_active === true && mode === 'off')
    report.warning(
      'client_certificate_crl_active',
      finding(
        'has no effect while client_certificate_mode is off',
        'Set the mode to on or optional, or this to false.',
      ),
    )
  return { mode, caId, crl: entry.client_certificate_crl_active === true ? crl : undefined }
}

/** What is passed through is chosen by the name in the TLS handshake, which is a literal one. */
function checkPassthrough(names: readonly ServerName[], entry: Entry, report: Report): void {
  if (entry.tcp_passthrough !== true) return
  if (names.some(({ kind }) => kind === 'literal' || kind === 'wildcard')) return
  report.problem(
    'tcp_passthrough',
    finding('needs a literal or *. server name', 'Name the hosts whose TLS is passed through.'),
  )
}

function parse(entry: Entry, report: Report): ServerGroupEntry {
  checkUnused(entry, report)
  const serverNames = readNames(entry.server_names, report)
  checkPassthrough(serverNames, entry, report)
  return {
    ...identityOf(entry),
    serverNames,
    httpRedirect: entry.http_redirect ?? 'off',
    policyId: entry.security_policy || '__default__',
    templateId: entry.proxy_template || '__default__',
    certificateId: entry.ssl_certificate || 'placeholder',
    mobileGroupId: entry.mobile_application_group || '__default__',
    clientCertificate: readClientCertificate(entry, report),
    ownTls: readTls(entry, report),
    tcpPassthrough: entry.tcp_passthrough ?? false,
  }
}

export const serverGroups = defineDocument({
  namespace: 'server-groups',
  noun: 'server group',
  title: 'Server groups',
  description: 'Sites: host names with their security policy and proxy template.',
  schema,
  examples: [
    {
      id: 'site1',
      name: 'Shop',
      description: '',
      server_names: ['www.example.com', '*.shop.example', '~^api[0-9]+\\.example\\.com$'],
      security_policy: 'shop',
      proxy_template: 'edge',
      mobile_application_group: '__default__',
      ssl_certificate: 'placeholder',
      client_certificate: '',
      client_certificate_mode: 'off',
      http_redirect: 308,
    },
  ],
  parse,
})
