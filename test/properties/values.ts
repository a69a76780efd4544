// Values for property tests: words, texts of all alphabets, and the many ways in which a client may write one and the same
// thing. What is written at random is read back by the tests and must be what it was.
import { readHead, readRequest } from '#request'
import type { Parameters, ReadSettings, RequestInput, RequestView } from '#request'
import type { Random } from '../fuzz/random.ts'

const letters = 'abcdefghijklmnopqrstuvwxyz'
/** Syntax of every format, characters of two, three and four bytes, and none that a format forbids. */
const characters = [
  ...Array.from(letters).slice(0, 6),
  ...Array.from('<>&\'"=;:,/\\%+#?!@$|{}[]()-_.* '),
  ...Array.from('éßжλ鍵あ😀🔑'),
  '\u00a0',
  '\u200b',
]

export const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i))

export const word = (random: Random): string =>
  times(1 + random.below(8), () => random.pick(Array.from(letters))).join('')

/** 1 to 20 characters; none of them at the ends that a format would trim. */
export function text(random: Random, without = ''): string {
  const allowed = characters.filter((char) => !without.includes(char))
  return word(random) + times(random.below(18), () => random.pick(allowed)).join('') + word(random)
}

/** Percent-encoding of what must be and, at random, of more; in either case. */
export function percent(random: Random, plain: string, spaceAsPlus = false): string {
  return Array.from(plain)
    .map((char) => {
      if (spaceAsPlus && char === ' ' && random.oneIn(2)) return '+'
      if (/[\w.~-]/.test(char) && !random.oneIn(4)) return char
      const bytes = [...Buffer.from(char)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
      return random.oneIn(2) ? bytes.toUpperCase() : bytes
    })
    .join('')
}

/** Special characters as an entity or a number. */
export const xmlText = (random: Random, plain: string): string =>
  Array.from(plain)
    .map((char) => {
      const code = char.codePointAt(0) ?? 0
      if (!/[<>&'"]/.test(char) && !random.oneIn(5)) return char
      return random.oneIn(2) ? `&#${String(code)};` : `&#x${code.toString(16)};`
    })
    .join('')

/** Upper and lower case at random. */
export const anyCase = (random: Random, plain: string): string =>
  Array.from(plain)
    .map((char) => (random.oneIn(2) ? char.toUpperCase() : char))
    .join('')

export function shuffled<T>(random: Random, list: readonly T[]): T[] {
  const rest = [...list]
  return times(list.length, () => rest.splice(random.below(rest.length), 1)).flat()
}

export type Pair = readonly [name: string, value: string]

/** Few names, so that some occur again. */
export const pairs = (random: Random, value: () => string): Pair[] => {
  const names = times(4, () => word(random))
  return times(1 + random.below(8), () => [random.pick(names), value()] as const)
}

/** What stands in the request after these were sent: values of one name joined, in order. */
export function joined(sent: readonly Pair[], separator = ' '): Readonly<Record<string, string>> {
  const byName = Map.groupBy(sent, ([name]) => name)
  return Object.fromEntries(
    [...byName].map(([name, same]) => [name, same.map(([, value]) => value).join(separator)]),
  )
}

export const shown = (parameters: Parameters): Readonly<Record<string, string>> =>
  Object.fromEntries([...parameters].map(([name, { value }]) => [name, value]))

const plain: RequestInput = {
  method: 'GET',
  scheme: 'https',
  authority: 'www.example.com',
  target: '/',
  headers: [],
  body: undefined,
  peer: '10.0.0.1',
  client: undefined,
  timestamp: 0,
  requestId: '',
  human: undefined,
  hints: { group: undefined, entry: undefined },
  plugins: new Map(),
}

const settings: ReadSettings = {
  clientAddressHeaders: ['x-forwarded-for'],
  trusts: (address) => address.startsWith('10.'),
  readBody: true,
  bodyLimit: 1 << 20,
  maxBodyDepth: 100,
  graphqlPath: '',
  refererAsUri: false,
}

export const read = (changes: Partial<RequestInput>, own: Partial<ReadSettings> = {}): RequestView =>
  readRequest(readHead({ ...plain, ...changes }).head, { ...settings, ...own })

/** A body of this type, with headers beside it. */
export const readPosted = (
  type: string,
  body: string | Uint8Array,
  { partial = false, headers = [] as RequestInput['headers'] } = {},
): RequestView =>
  read({
    method: 'POST',
    headers: [['content-type', type], ...headers],
    body: { bytes: typeof body === 'string' ? Buffer.from(body) : body, partial },
  })
