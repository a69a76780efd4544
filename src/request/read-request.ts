// The second half of reading a request, once the site says how (spec pipeline 1.1, 1.3, 1.7, 1.8).
import { type Arguments, addLeaves, addQuery, addReferer, createArguments } from './arguments.ts'
import type { ParseResult } from './body/leaves.ts'
import { type ReadBody, noBody, readBody } from './body/read-body.ts'
import { readClient, readScheme } from './client-address.ts'
import { createParameterList } from './parameters.ts'
import type { BodyReport, Head, Parameters, ReadSettings, RequestView } from './request.ts'

const nothing: ReadBody = { leaves: [], report: noBody }
const none: Parameters = new Map()

function bodyOf(head: Head, settings: ReadSettings, room: number): ReadBody {
  const { body } = head.input
  return body === undefined || !settings.readBody ? nothing : readBody(body, head.headers, settings, room)
}

/** An opaque body is an argument, a malformed one is not (spec pipeline 1.8). */
function addBody(args: Arguments, { leaves, report }: ReadBody): void {
  addLeaves(args, leaves, 'body')
  const { raw } = report
  if (raw === undefined || report.malformed !== undefined || leaves.length > 0) return
  args.list.add(raw.name, raw.value, raw.place, raw.lengthExempt)
}

/** A bound that the query met is told like one that the body met. */
function withQuery(report: BodyReport, query: ParseResult): BodyReport {
  if (query.kind !== 'stopped' || query.met.bound === 'depth') return report
  const { bound, actual, limit } = query.met
  return { ...report, tooLarge: { what: bound, actual, limit } }
}

function readPlugins({ input }: Head): Parameters {
  if (input.plugins.size === 0) return none
  const plugins = createParameterList(' ')
  for (const [name, value] of input.plugins) plugins.add(name, value, 'plugins')
  return plugins.finish()
}

const parsed: ParseResult = { kind: 'parsed' }

/** Reads what is left of a request; never throws, whatever the input. */
export function readRequest(head: Head, settings: ReadSettings): RequestView {
  const { input, uri } = head
  const args = createArguments()
  const query = uri.query === undefined ? parsed : addQuery(args, uri.query, 'arguments')
  const body = bodyOf(head, settings, args.room)
  addBody(args, body)
  if (settings.refererAsUri) addReferer(args, head)
  const client = readClient(head, settings)
  return {
    input,
    method: head.method,
    authority: head.authority,
    host: head.host,
    hostInvalid: head.hostInvalid,
    uri,
    headers: head.headers,
    cookies: head.cookies,
    scheme: readScheme(head, client.peerTrusted),
    ip: client.ip,
    peer: client.peer,
    ipInvalid: client.invalid,
    requestId: input.requestId,
    timestamp: input.timestamp,
    args: args.list.finish(),
    plugins: readPlugins(head),
    body: withQuery(body.report, query),
  }
}
