// What the header section of a request says (RFC 9113 section 8.3.1, gRPC over HTTP/2 "Requests"). One reader a connection is
// used for all its requests, so that a request's head costs no object beside its stream.
import type { Field } from './hpack-field.ts'

export type HeadReader = {
  method: string
  path: string
  scheme: string
  contentType: string
  /** Bytes of the body as announced; undefined: not said. */
  contentLength: number | undefined
  grpcTimeout: string | undefined
  grpcEncoding: string
  /** Bytes of the fields so far, as SETTINGS_MAX_HEADER_LIST_SIZE counts them. */
  bytes: number
  begin(): void
  field(field: Field): void
  /** Why these are no headers of a request; undefined: they are. */
  problem(): string | undefined
  /** Why these are no trailers. */
  trailerProblem(): string | undefined
}

const nonNegative = /^\d{1,15}$/

export function createHeadReader(): HeadReader {
  let authority = ''
  let pseudo = 0
  let ended = false
  let problem: string | undefined

  const once = (before: string, field: Field): string => {
    pseudo++
    if (ended) problem = 'a pseudo-header after a regular one'
    if (before !== '') problem = `${field.name} twice`
    if (field.value === '' && field.kind !== ':authority') problem = `an empty ${field.name}`
    return field.value
  }

  return {
    method: '',
    path: '',
    scheme: '',
    contentType: '',
    contentLength: undefined,
    grpcTimeout: undefined,
    grpcEncoding: '',
    bytes: 0,
    begin() {
      this.method = this.path = this.scheme = this.contentType = this.grpcEncoding = authority = ''
      this.contentLength = this.grpcTimeout = problem = undefined
      this.bytes = pseudo = 0
      ended = false
    },
    field(field) {
      this.bytes += field.size
      switch (field.kind) {
        case ':method':
          this.method = once(this.method, field)
          return
        case ':path':
          this.path = once(this.path, field)
          return
        case ':scheme':
          this.scheme = once(this.scheme, field)
          return
        case ':authority':
          authority = once(authority, field)
          return
        case 'malformed':
          problem = `the field ${JSON.stringify(field.name.slice(0, 40))} is not allowed`
          return
        case 'content-type':
          this.contentType = field.value
          break
        case 'content-length': {
          const length = nonNegative.test(field.value) ? Number(field.value) : undefined
          if (length === undefined || (this.contentLength ?? length) !== length)
            problem = 'content-length is no number, or two'
          this.contentLength = length
          break
        }
        case 'grpc-timeout':
          this.grpcTimeout = field.value
          break
        case 'grpc-encoding':
          this.grpcEncoding = field.value
          break
        case 'other':
          break
      }
      ended = true
    },
    problem() {
      if (problem !== undefined) return problem
      return this.method === '' || this.path === '' || this.scheme === ''
        ? 'no method, scheme or path'
        : undefined
    },
    trailerProblem: () => problem ?? (pseudo > 0 ? 'a pseudo-header in trailers' : undefined),
  }
}

const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 }

/** Milliseconds of a grpc-timeout (gRPC over HTTP/2, "Timeout"): at most eight digits and a unit; undefined: it is none. */
export function parseTimeout(value: string): number | undefined {
  const [, digits, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(value) ?? []
  const factor = unitMs[unit]
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor
}
