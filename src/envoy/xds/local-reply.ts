// Answers that Envoy gives itself. The status says what went wrong at the origin (spec control-plane 2.7), the
// body says nothing about Envoy. There is no body for all replies: it would overwrite the filter's block pages.
import { type JsonObject, typed } from './json.ts'

const cel = (expression: string): JsonObject => ({
  extension_filter: {
    name: 'envoy.access_loggers.extension_filters.cel',
    typed_config: typed('envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter', { expression }),
  },
})
const flags = (...names: readonly string[]): JsonObject => ({ response_flag_filter: { flags: names } })

const accept = (string_match: JsonObject, more: JsonObject = {}): JsonObject => ({
  header_filter: { header: { name: 'accept', string_match, ...more } },
})
/** The client names JSON and does not name HTML: a program, not a browser. */
const prefersJson: readonly JsonObject[] = [
  accept({ safe_regex: { regex: '(?i).*application/([a-z0-9.+-]+\\+)?json.*' } }),
  accept(
    { contains: 'text/html', ignore_case: true },
    { invert_match: true, treat_missing_header_as_empty: true },
  ),
]

const page = [
  '<!doctype html>',
  '<html lang="en"><head><meta charset="utf-8"><title>%RESPONSE_CODE%</title></head>',
  '<body><h1>%RESPONSE_CODE%</h1><p>The request could not be answered.</p>',
  '<p>Request id: %REQ(X-REQUEST-ID)%</p></body></html>',
  '',
].join('\n')

const html: JsonObject = {
  text_format_source: { inline_string: page },
  content_type: 'text/html; charset=UTF-8',
}
const json: JsonObject = { json_format: { status: '%RESPONSE_CODE%', request_id: '%REQ(X-REQUEST-ID)%' } }

const ofEnvoy = "!(response.code_details == 'ext_authz_denied')"

type Case = { readonly when: JsonObject; readonly status?: number }

/** Of the connection manager. */
export const maxHeaders = 200

/** What the filter adds to a request may be what no longer fits; by itself Envoy answers 500. */
const outgrown = (maxHeadersKb: number): Case => ({
  when: cel(
    `response.code_details == 'ext_authz_invalid' && (size(request.headers) > ${maxHeaders} || request.total_size > ${maxHeadersKb * 1024})`,
  ),
  status: 431,
})

const cases: readonly Case[] = [
  // Envoy gives a connect time-out the same flag as a refused connection; only the details tell them apart.
  { when: cel("response.code_details.contains('connection_timeout')"), status: 504 },
  { when: flags('UT'), status: 504 },
  { when: flags('UF', 'UC', 'UH'), status: 502 },
  { when: cel(`${ofEnvoy} && response.code >= 400`) },
]

/**
 * Where slashes are not merged, the normalised path of `/%2fother.example` begins with two: a browser would take that
 * for another host. With `/.` before it, it is a path.
 */
const ownHostOnly: JsonObject = {
  filter: cel(`${ofEnvoy} && response.code == 307 && response.headers['location'].startsWith('//')`),
  headers_to_add: [
    {
      header: { key: 'location', value: '/.%RESP(LOCATION)%' },
      append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
    },
  ],
}

/** @param maxHeadersKb the largest block of headers, KB */
export const localReplies = (maxHeadersKb: number): JsonObject => ({
  mappers: [
    ownHostOnly,
    ...[outgrown(maxHeadersKb), ...cases].flatMap(({ when, status }) => {
      const code: JsonObject = status === undefined ? {} : { status_code: status }
      return [
        { filter: { and_filter: { filters: [when, ...prefersJson] } }, ...code, body_format_override: json },
        { filter: when, ...code, body_format_override: html },
      ]
    }),
  ],
})
