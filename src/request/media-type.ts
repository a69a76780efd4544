// What `content-type` says: media type, parameters, and the kind of body that Weir parses for it (spec pipeline 1.8).
import { codeAt } from '#platform'
import type { BodyKind } from './request.ts'

export type MediaType = {
  /** Lower-case, without parameters. */
  readonly essence: string
  /** Names are lower-case; the first of each name counts. */
  readonly parameters: ReadonlyMap<string, string>
}

const quote = 0x22
const backslash = 0x5c

/** End of the piece that begins at `from`: the next separator outside quotes, or the end of the text. */
function pieceEnd(text: string, from: number, separator: number): number {
  let quoted = false
  const { length } = text
  for (let i = from; i < length; i++) {
    const code = codeAt(text, i)
    if (code === quote) quoted = !quoted
    else if (quoted && code === backslash) i++
    else if (!quoted && code === separator) return i
  }
  return length
}

/** Splits at a separator outside quotes; pieces are trimmed. */
export function splitQuoted(text: string, separator: ',' | ';'): readonly string[] {
  const pieces: string[] = []
  for (let start = 0; start <= text.length;) {
    const end = pieceEnd(text, start, codeAt(separator, 0))
    pieces.push(text.slice(start, end).trim())
    start = end + 1
  }
  return pieces
}

/** A parameter's value: quotes and their escapes undone. */
export function unquote(text: string): string {
  if (!text.startsWith('"')) return text
  let value = ''
  for (let i = 1; i < text.length; i++) {
    const char = text[i] ?? ''
    if (char === '"') break
    // Browsers send file paths with single backslashes; only quotes and backslashes are escaped in earnest.
    const next = text[i + 1]
    if (char === '\\' && (next === '"' || next === '\\')) {
      value += next
      i++
    } else value += char
  }
  return value
}

const none: ReadonlyMap<string, string> = new Map()

export function readMediaType(value: string): MediaType {
  const semicolon = value.indexOf(';')
  if (semicolon < 0) return { essence: value.trim().toLowerCase(), parameters: none }
  const parameters = new Map<string, string>()
  for (const piece of splitQuoted(value.slice(semicolon + 1), ';')) {
    const equals = piece.indexOf('=')
    if (equals <= 0) continue
    const name = piece.slice(0, equals).trim().toLowerCase()
    if (!parameters.has(name)) parameters.set(name, unquote(piece.slice(equals + 1).trim()))
  }
  return { essence: value.slice(0, semicolon).trim().toLowerCase(), parameters }
}

const sameType = (a: MediaType, b: MediaType): boolean =>
  a.essence === b.essence && a.parameters.get('boundary') === b.parameters.get('boundary')

/** Media types of several `content-type` lines, and of one that a proxy joined with commas. */
function typesOf(values: readonly string[]): readonly MediaType[] {
  return values.flatMap((value) =>
    value.includes(',')
      ? splitQuoted(value, ',').flatMap((piece) =>
          piece.split(';', 1)[0]?.includes('/') ? [readMediaType(piece)] : [],
        )
      : [readMediaType(value)],
  )
}

/** Whether the lines name different media types (spec pipeline 1.2), or boundaries, which comes to the same. */
export function mediaTypesConflict(values: readonly string[]): boolean {
  const only = values.length === 1 ? values[0] : undefined
  if (only !== undefined && !only.includes(',')) return false
  const [first, ...others] = typesOf(values)
  return first !== undefined && others.some((other) => !sameType(first, other))
}

/** The kind that a media type names. */
export function kindOf(essence: string): BodyKind | undefined {
  if (essence.endsWith('/json') || essence.endsWith('+json')) return 'json'
  if (essence.endsWith('/xml') || essence.endsWith('+xml')) return 'xml'
  if (essence === 'application/x-www-form-urlencoded') return 'url_encoded'
  if (essence === 'multipart/form-data') return 'multipart_form'
  return essence === 'application/graphql' ? 'graphql' : undefined
}

const binaryPrefixes = [
  'image/',
  'audio/',
  'video/',
  'font/',
  'application/vnd.openxmlformats-',
  'application/vnd.ms-',
  'application/vnd.oasis.',
]
const binaryTypes = new Set([
  'application/octet-stream',
  'application/pdf',
  'application/zip',
  'application/gzip',
  'application/x-gzip',
  'application/zstd',
  'application/x-bzip2',
  'application/x-xz',
  'application/x-tar',
  'application/x-7z-compressed',
  'application/x-zip-compressed',
  'application/vnd.rar',
  'application/x-rar-compressed',
  'application/java-archive',
  'application/msword',
  'application/wasm',
  'application/epub+zip',
])

/**
 * Whether the type says that the content is no text. Serialised data (protobuf, MessagePack, CBOR) is not meant: the
 * strings in it stand there as they are, and are examined.
 */
export const isBinary = (essence: string): boolean =>
  binaryTypes.has(essence) || binaryPrefixes.some((prefix) => essence.startsWith(prefix))
