// The first half of reading a request: what the mapping needs to find the site and the entry (spec pipeline 1.1, 1.2,
// 1.5, 1.6). A refusal carries the head all the same, so that the refused request can be tagged and recorded.
import { readHeaders, readHostLines } from './headers.ts'
import { readHost } from './host.ts'
import type { Head, HeadRefusal, RequestInput } from './request.ts'
import { readUri } from './uri.ts'

export type ReadHead =
  | { readonly ok: true; readonly head: Head }
  | { readonly ok: false; readonly refusal: HeadRefusal; readonly head: Head }

/** Reads the head of a request; never throws. In the head of a refused one invalid bytes are U+FFFD. */
export function readHead(input: RequestInput): ReadHead {
  const sent = input.authority.trim().toLowerCase()
  const { first, agree } = readHostLines(input.headers, sent)
  const authority = sent || first || 'unknown'
  const { host, invalid } = readHost(authority)
  const { headers, cookies, refusal } = readHeaders(input.headers, authority)
  const head: Head = {
    input,
    method: input.method,
    authority,
    host,
    // Which of two hosts a backend believes, nobody knows.
    hostInvalid: invalid || !agree,
    uri: readUri(input.target),
    headers,
    cookies,
  }
  return refusal === undefined ? { ok: true, head } : { ok: false, refusal, head }
}
