// The lines that `weir inspect` reads: one request each, as JSON. Strict, because a test of a policy that silently ignores
// a misspelt field tests nothing.
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { HeaderLine, HumanLevel, RequestInput } from '#request'

const headerValue = Type.Union([
  Type.String(),
  Type.Object({ base64: Type.String() }, { additionalProperties: false }),
])

const line = Type.Object(
  {
    name: Type.Optional(Type.String()),
    ip: Type.Optional(Type.String()),
    peer: Type.Optional(Type.String()),
    method: Type.String({ minLength: 1 }),
    scheme: Type.Optional(Type.Union([Type.Literal('http'), Type.Literal('https')])),
    authority: Type.String(),
    path: Type.String({ minLength: 1 }),
    headers: Type.Optional(
      Type.Union([
        Type.Record(Type.String(), headerValue),
        Type.Array(Type.Tuple([Type.String(), headerValue])),
      ]),
    ),
    body: Type.Optional(Type.String()),
    body_base64: Type.Optional(Type.String()),
    body_size: Type.Optional(Type.Integer({ minimum: 0 })),
    delay_ms: Type.Optional(Type.Number({ minimum: 0 })),
    human: Type.Optional(
      Type.Union([
        Type.Boolean(),
        Type.Literal('none'),
        Type.Literal('passive'),
        Type.Literal('active'),
        Type.Literal('interactive'),
        Type.Literal('mobile'),
      ]),
    ),
    request_id: Type.Optional(Type.String()),
    plugins: Type.Optional(Type.Record(Type.String(), Type.String())),
    expect: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    label: Type.Optional(Type.String()),
    category: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
)

export type InspectLine = Type.Static<typeof line>

const validator = Compile(line)

export type ParsedLine =
  { readonly ok: true; readonly value: InspectLine } | { readonly ok: false; readonly problem: string }

/** Parses one line; the problem names the field and the reason. */
export function parseInspectLine(text: string): ParsedLine {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { ok: false, problem: `not JSON: ${error instanceof Error ? error.message : String(error)}` }
  }
  if (validator.Check(value)) {
    if (value.body !== undefined && value.body_base64 !== undefined) {
      return { ok: false, problem: 'body and body_base64 exclude each other: give one of them' }
    }
    if (value.ip === undefined && value.peer === undefined) {
      return {
        ok: false,
        problem: 'ip: required (the client address; or peer, to derive it from the headers)',
      }
    }
    return { ok: true, value }
  }
  const [first] = validator.Errors(value)
  const field = first?.instancePath.slice(1).replaceAll('/', '.') ?? ''
  return { ok: false, problem: `${field === '' ? '' : `${field}: `}${first?.message ?? 'not a request'}` }
}

type HeaderValue = Type.Static<typeof headerValue>

const bytesOf = (value: HeaderValue): string | Uint8Array =>
  typeof value === 'string' ? value : Buffer.from(value.base64, 'base64')

function headersOf(headers: InspectLine['headers']): readonly HeaderLine[] {
  if (headers === undefined) return []
  const entries: readonly (readonly [string, HeaderValue])[] = Array.isArray(headers)
    ? headers
    : Object.entries(headers)
  return entries.map(([name, value]) => [name, bytesOf(value)])
}

function humanOf(human: InspectLine['human']): HumanLevel | undefined {
  if (human === true) return 'active'
  if (human === false) return 'none'
  return human
}

function bodyOf(value: InspectLine): RequestInput['body'] {
  const encoded = value.body_base64 === undefined ? undefined : Buffer.from(value.body_base64, 'base64')
  const bytes = encoded ?? (value.body === undefined ? undefined : Buffer.from(value.body))
  if (bytes === undefined || bytes.length === 0) return undefined
  return { bytes, partial: value.body_size !== undefined && value.body_size > bytes.length }
}

/** The request of a line, as if a door had received it at `now` (milliseconds). */
export function inspectRequest(value: InspectLine, now: number, number: number): RequestInput {
  return {
    method: value.method,
    scheme: value.scheme ?? 'https',
    authority: value.authority,
    target: value.path,
    headers: headersOf(value.headers),
    body: bodyOf(value),
    peer: value.peer ?? value.ip ?? '',
    client: value.ip,
    timestamp: now,
    requestId: value.request_id ?? `inspect-${String(number)}`,
    human: humanOf(value.human),
    hints: { group: undefined, entry: undefined },
    plugins: new Map(Object.entries(value.plugins ?? {})),
  }
}
