// Requests for tests: a plain GET as the worked examples of spec pipeline 9 have it, and what is changed about it.
import { readHead } from './head.ts'
import { readRequest } from './read-request.ts'
import type { HeaderLine, Parameters, ReadSettings, RequestInput, RequestView } from './request.ts'

const plain: RequestInput = {
  method: 'GET',
  scheme: 'https',
  authority: 'www.example.com',
  target: '/',
  headers: [],
  body: undefined,
  peer: '203.0.113.9',
  client: undefined,
  timestamp: 0,
  requestId: 'r',
  human: undefined,
  hints: { group: undefined, entry: undefined },
  plugins: new Map(),
}

export const request = (changes: Partial<RequestInput> = {}): RequestInput => ({ ...plain, ...changes })

/** A POST of `body`; `type` undefined: without content type. */
export const post = (
  body: string | Uint8Array,
  type?: string,
  headers: readonly HeaderLine[] = [],
): RequestInput =>
  request({
    method: 'POST',
    headers: type === undefined ? headers : [['content-type', type], ...headers],
    body: { bytes: typeof body === 'string' ? Buffer.from(body) : body, partial: false },
  })

export const settings = (changes: Partial<ReadSettings> = {}): ReadSettings => ({
  clientAddressHeaders: ['x-forwarded-for'],
  trusts: () => false,
  readBody: true,
  bodyLimit: 1 << 20,
  maxBodyDepth: 100,
  graphqlPath: '',
  refererAsUri: false,
  ...changes,
})

export const read = (input: RequestInput, changes: Partial<ReadSettings> = {}): RequestView =>
  readRequest(readHead(input).head, settings(changes))

/** Names and joined values. */
export const shown = (parameters: Parameters): Readonly<Record<string, string>> =>
  Object.fromEntries([...parameters].map(([name, { value }]) => [name, value]))
