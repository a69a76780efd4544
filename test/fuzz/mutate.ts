// Changes of bytes: what every fuzz target does to its samples, whatever they mean.
import type { Random } from './random.ts'

/** What parsers stumble over. */
const syntax = [
  '{', '}', '[', ']', '(', ')', '<', '>', '</a>', '<a ', '/>', '"', "'", '"""', '\\', '\\u', '\\ud800', ',', ':', ';', '&', '=', '%', '%41', '%ff',
  '\r\n', '\n', '\n--b', '--b', '--b--', '<!--', '-->', '<![CDATA[', ']]>', '<!ENTITY x "', '<!DOCTYPE ', '<?', '?>', '&#', '&lt;', '#', '...', '@', '$', '!',
  'query{', 'query ', 'true', 'null', '-', '1e', '0', '\u0000', '\ufeff', '\ud83d', '😀😀', 'é', '../', '//', '?', ' ', '\t', 'QUJD', '==',
] as const // prettier-ignore

/** What rules and libinjection stop and think at. */
export const loaded = [
  "' or 1=1 ", 'union select ', '/*', '*/', '-- ', '`', '||', '0x41', 'char(', '<script', '<img ', 'onerror=', 'javascript:', '<svg/', 'data:', '${', '#{', '{{', '%{',
  '|', '; cat ', '$(', '&&', '<?php', 'etc/passwd', '%00', '%252e', '&#x', '\\x', '\\74 ', 'concat(', 'rO0AB', 'O:8:"', '__proto__', 'file://', 'http://', 'a=b;', '${jndi:',
] as const // prettier-ignore

export const tokens: readonly string[] = [...syntax, ...loaded]

const fewRepetitions = 20
const longRun = 200_000

/** One change: bytes replaced or flipped, a token put in, a piece cut out, repeated (rarely very often) or moved. */
export function mutate(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length + 1)
  const length = random.below(Math.min(40, bytes.length - at) + 1)
  const before = bytes.subarray(0, at)
  const after = bytes.subarray(at)
  switch (random.below(9)) {
    case 0:
      return Buffer.concat([before, Buffer.from([random.below(256)]), after.subarray(1)])
    case 1:
      return Buffer.concat([before, Buffer.from(random.pick(tokens)), after])
    case 2:
      return Buffer.concat([before, after.subarray(length)])
    case 3:
      return Buffer.concat([before, after.subarray(0, length), after])
    case 4:
      return Buffer.concat([
        before,
        Buffer.from(repeated(random, after.subarray(0, length).toString())),
        after,
      ])
    case 5: {
      const flipped = Buffer.from(bytes)
      if (at < flipped.length) flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8))
      return flipped
    }
    case 6:
      return Buffer.from(before)
    case 7: {
      // Bytes that are no UTF-8, or the long form of a short character.
      const broken = random.pick(['ff', 'c0af', 'eda080', 'f4908080', 'e28080', 'c3', '80', 'f09f98'])
      return Buffer.concat([before, Buffer.from(broken, 'hex'), after])
    }
    default:
      return Buffer.concat([after, before])
  }
}

/** The piece, or two tokens, again and again. */
function repeated(random: Random, piece: string): string {
  const unit = random.oneIn(2) ? piece : random.pick(tokens) + random.pick(tokens)
  const often = random.oneIn(50) ? Math.trunc(random.below(longRun) / (unit.length + 1)) : fewRepetitions
  return unit.repeat(random.below(often + 1))
}

/** One to six changes. */
export function mutated(random: Random, start: string | Uint8Array): Buffer {
  let bytes: Buffer = Buffer.from(start)
  for (let changes = random.below(6); changes >= 0; changes--) bytes = mutate(random, bytes)
  return bytes
}
