// The body of a request (spec pipeline 1.8): undoes its coding, chooses the parser, and says what became of it. Parsers
// are plain functions from text or bytes to leaves; nothing here throws, and every bound ends in a report.
import { type MediaType, isBinary, kindOf, readMediaType } from '../media-type.ts'
import type { BodyInput, BodyKind, BodyReport, Parameter, Parameters, ReadSettings } from '../request.ts'
import { undoCodings } from './coding.ts'
import { parseForm } from './form.ts'
import { addGraphql } from './graphql-in-json.ts'
import { parseGraphql } from './graphql.ts'
import { parseJson } from './json.ts'
import { type Leaf, type Leaves, type Met, type ParseResult, createLeaves } from './leaves.ts'
import { parseMultipart } from './multipart.ts'
import { decodeText } from './text.ts'
import { parseXml } from './xml.ts'

export type ReadBody = { readonly leaves: readonly Leaf[]; readonly report: BodyReport }

export type BodySettings = Pick<ReadSettings, 'bodyLimit' | 'maxBodyDepth' | 'graphqlPath'>

/** Decoded bytes and what is known about them. */
type Content = {
  readonly bytes: Uint8Array
  readonly type: MediaType | undefined
  readonly settings: BodySettings
  /** Nothing of the body is missing. */
  readonly complete: boolean
}

/** `opaque`: no kind was declared and none fits. */
type Parsed = { readonly kind: string; readonly result: ParseResult | 'opaque' }

export const noBody: BodyReport = {
  present: false,
  mediaType: undefined,
  declared: undefined,
  malformed: undefined,
  partial: false,
  binary: false,
  tooDeep: undefined,
  tooLarge: undefined,
  raw: undefined,
  size: 0,
}

/** The body as one parameter; file-like, so Max length does not apply. */
const rawParameter = (value: string): Parameter => ({
  name: 'RAW_BODY',
  value,
  values: [value],
  place: 'body',
  lengthExempt: true,
})

const textOf = ({ bytes, type }: Content): string => decodeText(bytes, type?.parameters.get('charset'))

/** Contains `=` and nothing but printable ASCII without spaces. */
function looksLikeForm(bytes: Uint8Array): boolean {
  let equals = false
  for (const byte of bytes) {
    if (byte <= 0x20 || byte >= 0x7f) return false
    equals ||= byte === 0x3d
  }
  return equals
}

function readJson({ settings }: Content, text: string, leaves: Leaves): Parsed {
  const { maxBodyDepth, graphqlPath } = settings
  const json = parseJson(text, maxBodyDepth, leaves)
  if (json.kind !== 'parsed') return { kind: 'JSON', result: json }
  return { kind: 'GraphQL', result: addGraphql(text, graphqlPath, maxBodyDepth, leaves) }
}

/** Without a known media type: JSON if it is that, else a form if it looks like one. */
function guess(content: Content, leaves: Leaves): Parsed {
  const text = textOf(content)
  const json = readJson(content, text, leaves)
  if (json.result === 'opaque' || json.result.kind !== 'malformed') return json
  leaves.clear()
  if (looksLikeForm(content.bytes)) {
    // Nobody said that it is one: who reads it as text must not meet what was cut up for a form.
    leaves.beside(text)
    return { kind: 'form', result: parseForm(text, leaves) }
  }
  return { kind: '', result: 'opaque' }
}

function parse(content: Content, declared: BodyKind | undefined, leaves: Leaves): Parsed {
  const { maxBodyDepth } = content.settings
  switch (declared) {
    case 'json':
      return readJson(content, textOf(content), leaves)
    case 'url_encoded':
      return { kind: 'form', result: parseForm(textOf(content), leaves) }
    case 'xml':
      return { kind: 'XML', result: parseXml(textOf(content), maxBodyDepth, leaves) }
    case 'multipart_form': {
      const boundary = content.type?.parameters.get('boundary')
      return { kind: 'multipart', result: parseMultipart(content.bytes, boundary, leaves, content.complete) }
    }
    case 'graphql':
      return { kind: 'GraphQL', result: parseGraphql(textOf(content), maxBodyDepth, leaves) }
    case undefined:
      return guess(content, leaves)
    default:
      return declared satisfies never
  }
}

/**
 * More of the body may follow when the door says so, or when it fills the buffer and Content-Length does not say that
 * this is all (spec control-plane 2.6).
 */
function isPartial({ bytes, partial }: BodyInput, length: number | undefined, limit: number): boolean {
  return partial || bytes.length > limit || (bytes.length === limit && length !== limit)
}

const lengthOf = (headers: Parameters): number | undefined => {
  const value = headers.get('content-length')?.value
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}

function boundsOf(met: Met | undefined): Pick<BodyReport, 'tooDeep' | 'tooLarge'> {
  if (met === undefined) return { tooDeep: undefined, tooLarge: undefined }
  const { bound, actual, limit } = met
  return bound === 'depth'
    ? { tooDeep: { actual, limit }, tooLarge: undefined }
    : { tooDeep: undefined, tooLarge: { what: bound, actual, limit } }
}

type Begun = Omit<BodyReport, 'malformed' | 'binary' | 'tooDeep' | 'tooLarge' | 'raw'>

const withoutFindings = {
  malformed: undefined,
  binary: false,
  tooDeep: undefined,
  tooLarge: undefined,
} as const

/** No arguments but the body itself, or nothing at all where the type is not text. */
function opaque(report: Begun, content: Content): ReadBody {
  const binary = content.type !== undefined && isBinary(content.type.essence)
  const raw = binary ? undefined : rawParameter(textOf(content))
  return { leaves: [], report: { ...report, ...withoutFindings, binary, raw } }
}

const malformed = (report: Begun, content: Content, what: string, byte: number): ReadBody => ({
  leaves: [],
  report: {
    ...report,
    ...withoutFindings,
    malformed: `malformed ${what} body at byte ${String(byte)}`,
    raw: rawParameter(textOf(content)),
  },
})

/** `room`: arguments that may still be added. */
function readContent(report: Begun, content: Content, cut: Met | undefined, room: number): ReadBody {
  const leaves = createLeaves(room)
  const { kind, result } = parse(content, report.declared, leaves)
  if (result === 'opaque') {
    const { leaves: none, report: whole } = opaque(report, content)
    return { leaves: none, report: { ...whole, ...boundsOf(cut) } }
  }
  if (result.kind === 'malformed' && content.complete) return malformed(report, content, kind, result.byte)
  // What is broken off is read as far as it goes; the rest of it, which no parser understood, is examined as text.
  const text = result.kind === 'malformed' ? textOf(content) : leaves.besides()
  const raw = text === '' ? undefined : rawParameter(text)
  const met = result.kind === 'stopped' ? result.met : cut
  return {
    leaves: leaves.found,
    report: { ...report, ...withoutFindings, ...boundsOf(met), raw },
  }
}

/** Reads a body of which `headers` say type, coding and length. `room`: arguments that may still be added. */
export function readBody(
  input: BodyInput,
  headers: Parameters,
  settings: BodySettings,
  room: number,
): ReadBody {
  if (input.bytes.length === 0) return { leaves: [], report: noBody }
  const { bodyLimit } = settings
  const length = lengthOf(headers)
  const header = headers.get('content-type')?.values[0]
  const type = header === undefined ? undefined : readMediaType(header)
  const partial = isPartial(input, length, bodyLimit)
  const report: Begun = {
    present: true,
    mediaType: type?.essence,
    declared: type === undefined ? undefined : kindOf(type.essence),
    partial,
    size: partial ? Math.max(length ?? 0, input.bytes.length) : input.bytes.length,
  }
  const given = input.bytes.length > bodyLimit ? input.bytes.subarray(0, bodyLimit) : input.bytes
  const undone = undoCodings(given, headers.get('content-encoding')?.value, bodyLimit, !partial)
  const content: Content = {
    bytes: undone.kind === 'plain' ? undone.bytes : given,
    type,
    settings,
    complete: !partial && !(undone.kind === 'plain' && undone.cut),
  }
  if (undone.kind === 'unknown') return opaque(report, content)
  if (undone.kind === 'malformed') return malformed(report, content, undone.coding, 0)
  const cut: Met | undefined = undone.cut
    ? { bound: 'body', actual: bodyLimit + 1, limit: bodyLimit }
    : undefined
  if (content.bytes.length === 0) {
    return { leaves: [], report: { ...report, ...withoutFindings, ...boundsOf(cut), raw: undefined } }
  }
  return readContent(report, content, cut, room)
}
