// The statuses that this transport gives, by their numbers (https://grpc.io/docs/guides/status-codes/), and the ways in which a
// request is refused.
import type { StatusCode } from '../transport.ts'

export const statusNumber = {
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const satisfies Readonly<Record<StatusCode, number>> & Readonly<Record<string, number>>

export type Status = keyof typeof statusNumber

export type Refusal =
  | { readonly kind: 'grpc'; readonly status: Status; readonly text: string }
  /** For a client that does not speak gRPC at all (gRPC over HTTP/2, "Requests"). */
  | { readonly kind: 'http'; readonly status: 405 | 415; readonly text: string }

export const refusal = (status: Status, text: string): Refusal => ({ kind: 'grpc', status, text })

export const notGrpc: Refusal = {
  kind: 'http',
  status: 415,
  text: 'This port speaks gRPC: content-type has to be application/grpc.\n',
}

export const notPost: Refusal = { kind: 'http', status: 405, text: 'gRPC calls are made with POST.\n' }
