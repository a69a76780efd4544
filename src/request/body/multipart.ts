// multipart/form-data to leaves (spec pipeline 1.8), by a scanner over the buffer: the libraries for it are streams that
// answer through events, and this must answer at once. Line ends may be CRLF or LF, and parts after the closing delimiter
// are read as well, because some backends do either. What stands before, between and after the parts is no value, but is
// examined.
import { isUtf8 } from 'node:buffer'
import { splitQuoted, unquote } from '../media-type.ts'
import { decodePath } from '../percent.ts'
import { type Leaves, type ParseResult, parsed } from './leaves.ts'
import { decodeText } from './text.ts'

const lineFeed = 0x0a
const carriageReturn = 0x0d
const dash = 0x2d

/** Bytes that the headers of one part may have. */
const longestHeaders = 16_384
/** Different names that one part may give itself. */
const mostNames = 4
/** The standard says 70. */
const longestBoundary = 1024

type Scan = {
  readonly bytes: Buffer
  readonly delimiter: Buffer
  at: number
}

type Delimiter = {
  readonly start: number
  /** Where the line after it begins. */
  readonly next: number
  readonly closing: boolean
}

/** End of the line that holds `from`, past its line feed; -1 if the body ends first. */
function nextLine({ bytes }: Scan, from: number): number {
  const end = bytes.indexOf(lineFeed, from)
  return end < 0 ? -1 : end + 1
}

/** Whether nothing but blanks stands between `from` and the end of its line, and where the next begins. */
function blankUntilLine(scan: Scan, from: number): number {
  let at = from
  let code = scan.bytes[at]
  while (code === 0x20 || code === 0x09 || code === carriageReturn) code = scan.bytes[++at]
  if (code === undefined) return scan.bytes.length
  return code === lineFeed ? at + 1 : -1
}

/** The next delimiter line from `from` on. */
function findDelimiter(scan: Scan, from: number): Delimiter | undefined {
  const { bytes, delimiter } = scan
  for (let start = bytes.indexOf(delimiter, from); start >= 0; start = bytes.indexOf(delimiter, start + 1)) {
    if (start > 0 && bytes[start - 1] !== lineFeed) continue
    const after = start + delimiter.length
    if (bytes[after] === dash && bytes[after + 1] === dash) {
      const line = nextLine(scan, after + 2)
      return { start, next: line < 0 ? bytes.length : line, closing: true }
    }
    const next = blankUntilLine(scan, after)
    if (next >= 0) return { start, next, closing: false }
  }
  return undefined
}

type Disposition = {
  readonly names: readonly string[]
  readonly fileNames: readonly string[]
  /** Values of the other headers. */
  readonly others: readonly string[]
}

/** `charset'language'percent-encoded` of RFC 8187. */
function extended(value: string): string {
  const quote = value.indexOf("'", value.indexOf("'") + 1)
  return decodePath(quote < 0 ? value : value.slice(quote + 1))
}

/**
 * All names and file names that the headers give: which of several a backend takes, nobody knows. Undefined: more than
 * can be meant, and each would repeat the content.
 */
function readDisposition(headers: string): Disposition | undefined {
  const names = new Set<string>()
  const fileNames = new Set<string>()
  const others: string[] = []
  // A line that begins with a blank goes on with the one before it.
  for (const line of headers.replace(/\r?\n[ \t]/g, ' ').split('\n')) {
    const colon = line.indexOf(':')
    if (line.slice(0, Math.max(colon, 0)).trim().toLowerCase() !== 'content-disposition') {
      others.push(line.slice(colon + 1))
      continue
    }
    for (const piece of splitQuoted(line.slice(colon + 1), ';')) {
      const equals = piece.indexOf('=')
      const key = piece.slice(0, Math.max(equals, 0)).trim().toLowerCase()
      const value = unquote(piece.slice(equals + 1).trim())
      if (key === 'name') names.add(value)
      else if (key === 'filename') fileNames.add(value)
      else if (key === 'filename*') fileNames.add(extended(value))
    }
  }
  if (names.size > mostNames || fileNames.size > mostNames) return undefined
  return { names: names.size > 0 ? [...names] : [''], fileNames: [...fileNames], others }
}

/** Without the bytes of a character that breaks off. */
function wholeCharacters(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) return bytes
    if (byte >= 0xc0) return bytes.subarray(0, bytes.length - back)
  }
  return bytes
}

/** UTF-8 without control characters other than those that texts have (tab, line ends, form feed, escape). */
function isText(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte < 0x20 && !(byte >= 0x08 && byte <= 0x0d) && byte !== 0x1b) return false
  }
  return isUtf8(bytes)
}

function addPart(leaves: Leaves, { names, fileNames, others }: Disposition, content: Buffer): boolean {
  for (const other of others) leaves.beside(other)
  const file = fileNames.length > 0
  const value = file && !isText(content) ? '' : decodeText(content)
  for (const name of names) {
    if (!leaves.node() || !leaves.add(name, value, file)) return false
    for (const fileName of fileNames) if (!leaves.add(`${name}:filename`, fileName)) return false
  }
  return true
}

/** The headers that begin at `from`, and where the content begins; undefined if they do not end. */
function readHeaders(
  scan: Scan,
  from: number,
): { readonly headers: string; readonly content: number } | undefined {
  let line = from
  while (line - from <= longestHeaders) {
    const next = nextLine(scan, line)
    if (next < 0) return undefined
    const length = next - line - (scan.bytes[next - 2] === carriageReturn ? 2 : 1)
    if (length <= 0) return { headers: scan.bytes.toString('utf8', from, line), content: next }
    line = next
  }
  return undefined
}

/** Length of the line end before `at`, which belongs to the delimiter. */
const lineEndBefore = ({ bytes }: Scan, at: number): number => (bytes[at - 2] === carriageReturn ? 2 : 1)

/** `complete` false: the body may break off anywhere, and is read as far as it goes. */
export function parseMultipart(
  body: Uint8Array,
  boundary: string | undefined,
  leaves: Leaves,
  complete: boolean,
): ParseResult {
  if (boundary === undefined || boundary === '' || boundary.length > longestBoundary) {
    return { kind: 'malformed', byte: 0 }
  }
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const scan: Scan = { bytes, delimiter: Buffer.from(`--${boundary}`), at: 0 }
  const broken: ParseResult = complete ? { kind: 'malformed', byte: bytes.length } : parsed
  let delimiter = findDelimiter(scan, 0)
  if (delimiter === undefined) return { kind: 'malformed', byte: 0 }
  const beside = (from: number, to = bytes.length): void =>
    leaves.beside(decodeText(bytes.subarray(from, to)))
  beside(0, delimiter.start)
  while (delimiter !== undefined) {
    if (delimiter.closing) {
      const epilogue = delimiter.start + scan.delimiter.length + 2
      delimiter = findDelimiter(scan, delimiter.next)
      beside(epilogue, delimiter?.start)
      if (delimiter === undefined) return parsed
      continue
    }
    const part = readHeaders(scan, delimiter.next)
    if (part === undefined) return complete ? { kind: 'malformed', byte: delimiter.next } : parsed
    const disposition = readDisposition(part.headers)
    if (disposition === undefined) return { kind: 'malformed', byte: delimiter.next }
    const end = findDelimiter(scan, part.content)
    const contentEnd =
      end === undefined ? bytes.length : Math.max(part.content, end.start - lineEndBefore(scan, end.start))
    const content = bytes.subarray(part.content, contentEnd)
    const whole = end === undefined && !complete ? wholeCharacters(content) : content
    if (!addPart(leaves, disposition, whole)) return leaves.stopped()
    delimiter = end
  }
  return broken
}
