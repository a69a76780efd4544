// Texts with placeholders: `${…}` in header values, `%Token%` in header values and page content (spec pipeline 5.4).
// Rendering never fails: a missing value is `nil`, an unknown name stays as it is written.
import { type PageValues, escapeHtml } from './block-page.ts'
import { isAttribute, readAttribute } from './selectors.ts'
import type { Transaction } from './transaction.ts'

export function pageValues(t: Transaction, status: number): PageValues {
  return {
    status,
    requestId: t.request.requestId,
    sessionId: t.session.hash,
    clientIp: t.request.ip,
    host: t.request.host,
    time: new Date(t.request.timestamp).toISOString(),
  }
}

function token(name: string, t: Transaction, status: number | undefined): string | undefined {
  switch (name) {
    case 'Client_IP':
      return t.request.ip
    case 'Timestamp':
      return new Date(t.request.timestamp).toISOString()
    case 'Status_Code':
      return status === undefined ? undefined : String(status)
    case 'Host_Domain':
      return t.request.host
    case 'Request_ID':
      return t.request.requestId
    case 'Session_ID':
      return t.session.hash
    default:
      return undefined
  }
}

const tokenShape = /%([A-Z][A-Za-z]*_[A-Za-z]+|Timestamp)%/g

/** The value of a `${…}` placeholder; undefined: unknown name. */
function placeholder(name: string, t: Transaction): string | undefined {
  const { request, tags } = t
  switch (name) {
    case 'host':
      return request.host
    case 'raw_uri':
      return request.uri.rawUri
    case 'request_id':
      return request.requestId
    case 'timestamp':
      return new Date(request.timestamp).toISOString()
    case 'tags':
      return JSON.stringify([...tags.names()].toSorted())
    default:
  }
  const dot = name.indexOf('.')
  if (dot === -1) return isAttribute(name) ? (readAttribute(t, name) ?? 'nil') : undefined
  const rest = name.slice(dot + 1)
  switch (name.slice(0, dot)) {
    case 'headers':
      return request.headers.get(rest.toLowerCase())?.value ?? 'nil'
    case 'cookies':
      return request.cookies.get(rest)?.value ?? 'nil'
    case 'args':
      return request.args.get(rest)?.value ?? 'nil'
    case 'plugins':
      return request.plugins.get(rest)?.value ?? 'nil'
    case 'tags':
      return String(tags.has(rest))
    default:
      return undefined
  }
}

/** A header value must stay one line, whatever the request put into it. */
const oneLine = (text: string): string => text.replace(/[\r\n\0]/g, '')

/** Renders a header value; `status` is the answer's, undefined for request headers. */
export function renderHeader(template: string, t: Transaction, status: number | undefined): string {
  if (!/[$%\\]/.test(template)) return template
  const rendered = template.replace(
    /\\([\s\S])|\$\{([^}]*)\}|%([A-Za-z_]+)%/g,
    (whole: string, literal: string | undefined, name: string | undefined, tokenName: string | undefined) => {
      if (literal !== undefined) return literal
      if (name !== undefined) return placeholder(name, t) ?? whole
      return token(tokenName ?? '', t, status) ?? whole
    },
  )
  return oneLine(rendered)
}

/** Renders page content; values are escaped when it is HTML. `${…}` is not a placeholder here. */
export function renderContent(content: string, t: Transaction, status: number, html: boolean): string {
  return content.replace(tokenShape, (whole: string, name: string) => {
    const value = token(name, t, status)
    if (value === undefined) return whole
    return html ? escapeHtml(value) : value
  })
}
