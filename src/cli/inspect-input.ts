// The lines that `weir inspect` reads: one request each, as JSON. Strict, because a test of a policy that silently ignores
// a misspelt field tests nothing.
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { addressOfHostPort } from '#platform'
import type { HeaderLine, HumanLevel, RequestInput } from '#request'
import { unknownExpectation, unknownField } from './inspect-expect.ts'
import { outputFields } from './inspect-output.ts'

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
  | { readonly ok: true; readonly value: InspectLine }
  | { readonly ok: false; readonly name: string | undefined; readonly problem: string }

/** Why a value has not the shape of a line. */
function shapeProblem(value: unknown): string {
  const [first] = validator.Errors(value)
  const field = first?.instancePath.slice(1).replaceAll('/', '.') ?? ''
  const known = Object.keys(line.properties)
  const unknown =
    typeof value === 'object' && value !== null && Object.hasOwn(value, field) && !known.includes(field)
  if (unknown) return unknownField(field, field, known)
  return `${field === '' ? '' : `${field}: `}${first?.message ?? 'not a request'}`
}

/** The pipeline would take any text for the address of somebody whom no list knows. */
function addressProblem({ ip, peer }: InspectLine): string | undefined {
  if (ip === undefined && peer === undefined)
    return 'ip: required (the client address; or peer, to derive it from the headers)'
  for (const [field, text] of Object.entries({ ip, peer })) {
    if (text !== undefined && addressOfHostPort(text) === undefined)
      return `${field}: must be an IPv4 or IPv6 address such as 203.0.113.9 or 2001:db8::9, is ${JSON.stringify(text)}`
  }
  return undefined
}

/** What is wrong with a line of the right shape. */
function problemOf(value: InspectLine): string | undefined {
  if (value.body !== undefined && value.body_base64 !== undefined)
    return 'body and body_base64 exclude each other: give one of them'
  return addressProblem(value) ?? unknownExpectation(value.expect, outputFields, 'expect')
}

const nameOf = (value: unknown): string | undefined =>
  typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string'
    ? value.name
    : undefined

/** Parses one line; the problem names the field and the reason. */
export function parseInspectLine(text: string): ParsedLine {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { ok: false, name: undefined, problem: `not JSON: ${reason}` }
  }
  if (!validator.Check(value)) return { ok: false, name: nameOf(value), problem: shapeProblem(value) }
  const problem = problemOf(value)
  return problem === undefined ? { ok: true, value } : { ok: false, name: value.name, problem }
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
