// Templates that come from nginx bring its directives along. They cannot run here, but nearly all of them have a field
// that says the same, so whoever brings one is told which (spec control-plane 2.13).
import { finding } from '../findings.ts'
import type { Finding } from '../problem.ts'

const patch = (target: string, field: string): string =>
  `a patch of the target ${target}, field ${field}, in advanced_configuration`

const equivalents: Readonly<Record<string, string>> = {
  add_header: patch('route', 'response_headers_to_add'),
  allow: 'a global filter with its addresses and an ACL profile that allows its tag',
  client_body_buffer_size: 'client_body_buffer_size',
  client_body_timeout: 'client_body_timeout',
  client_header_timeout: 'client_header_timeout',
  client_max_body_size: 'client_max_body_size',
  deny: 'a global filter with its addresses and an ACL profile that denies its tag',
  error_page: 'the content of the actions that block',
  include: 'the fields that the included file would set',
  keepalive_timeout: 'keepalive_timeout',
  large_client_header_buffers: 'large_client_header_buffers_size and large_client_header_buffers_count',
  limit_conn: 'a rate limit rule',
  limit_req: 'limit_req_rate and limit_req_burst',
  limit_req_zone: 'limit_req_rate and limit_req_burst',
  location: 'an entry in the map of the security policy',
  mirror: patch('route', 'route.request_mirror_policies'),
  more_clear_headers: 'mask_headers',
  more_set_headers: patch('route', 'response_headers_to_add'),
  proxy_connect_timeout: 'proxy_connect_timeout',
  proxy_hide_header: 'mask_headers',
  proxy_http_version: 'http11 and http2 of the backend service',
  proxy_next_upstream: patch('route', 'route.retry_policy'),
  proxy_pass: 'backend_service of an entry in the map of the security policy',
  proxy_read_timeout: 'proxy_read_timeout',
  proxy_send_timeout: 'proxy_send_timeout',
  proxy_set_header: `upstream_host for Host; else ${patch('route', 'request_headers_to_add')}`,
  proxy_ssl_certificate: 'mtls_certificate of the backend service',
  proxy_ssl_trusted_certificate: 'mtls_trusted_certificate of the backend service',
  real_ip_header: 'xff_header_name',
  return: 'http_redirect of the server group, or a global filter with an action that answers',
  rewrite: patch('route', 'route.regex_rewrite'),
  send_timeout: 'send_timeout',
  server: 'a server group',
  server_name: 'server_names of the server group',
  set_real_ip_from: 'trusted_nets',
  ssl_certificate: 'ssl_certificate of the server group',
  ssl_ciphers: 'ssl_ciphers',
  ssl_client_certificate: 'client_certificate of the server group',
  ssl_protocols: 'ssl_protocols',
  ssl_verify_client: 'client_certificate_mode of the server group',
  upstream: 'a backend service',
}

const marker = /^\s*-----BEGIN (?:SERVER|LOCATION|HTTP|UPSTREAM)-----/m
/** `name words;` or `name words {` on a line; YAML and JSON have a colon after a name. */
const directive = /^[ \t]*([a-z][a-z_]{2,40})(?:[ \t][^\n;{]{0,500})?[ \t]*[;{][ \t]*(?:#.*)?$/gm

/** What to say of text that holds directives of nginx; undefined when it holds none. */
export function foreignDirective(text: string): Finding | undefined {
  const names = [...text.matchAll(directive)].map((match) => match[1] ?? '')
  const known = names.find((name) => Object.hasOwn(equivalents, name) && name !== 'server')
  const name = known ?? names[0]
  if (name === undefined && !marker.test(text)) return undefined
  if (name === undefined)
    return finding('nginx directives cannot be run', 'Say the same with the fields of this document.')
  const equivalent = Object.hasOwn(equivalents, name) ? equivalents[name] : undefined
  return finding(
    `the nginx directive ${name} cannot be run`,
    equivalent === undefined
      ? 'Say the same with the fields of this document, or with patches of Envoy resources.'
      : `Use ${equivalent}.`,
  )
}
