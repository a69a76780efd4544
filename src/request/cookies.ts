// Cookies (spec pipeline 1.6): pieces between semicolons, name and value at the first `=`. Nothing is decoded.
import { codeAt } from '#platform'
import { createParameterList } from './parameters.ts'
import type { Parameters } from './request.ts'

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09

/** `text[from..to)` without blanks at its ends. */
function trimmed(text: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && isSpace(codeAt(text, start))) start++
  while (end > start && isSpace(codeAt(text, end - 1))) end--
  return text.slice(start, end)
}

const none: Parameters = new Map()

/** `lines`: the values of all `cookie` headers. Pieces that are empty altogether are dropped. */
export function readCookies(lines: readonly string[]): Parameters {
  if (lines.length === 0) return none
  const cookies = createParameterList(' ')
  for (const line of lines) {
    for (let start = 0; start < line.length;) {
      const semicolon = line.indexOf(';', start)
      const end = semicolon < 0 ? line.length : semicolon
      const piece = trimmed(line, start, end)
      const equals = piece.indexOf('=')
      if (equals >= 0) cookies.add(piece.slice(0, equals), piece.slice(equals + 1), 'cookies')
      else if (piece !== '') cookies.add(piece, '', 'cookies')
      start = end + 1
    }
  }
  return cookies.finish()
}
