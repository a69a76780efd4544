// What a body parser finds, and the bounds that hold for all of them (spec pipeline 1.10). Leaves are kept apart from the
// request's arguments until the parser is done, because a malformed body takes back what was found in it.

export type Leaf = { readonly name: string; readonly value: string; readonly lengthExempt: boolean }

/** A bound that was met; `actual` is the first number beyond it. */
export type Met =
  | { readonly bound: 'depth'; readonly actual: number; readonly limit: number }
  | { readonly bound: 'arguments' | 'body'; readonly actual: number; readonly limit: number }

export type ParseResult =
  | { readonly kind: 'parsed' }
  /** The body is not what it says it is, seen at this byte. */
  | { readonly kind: 'malformed'; readonly byte: number }
  | { readonly kind: 'stopped'; readonly met: Met }

export const parsed: ParseResult = { kind: 'parsed' }

export const maxArguments = 10_000
/** Containers, elements and selections of one body, leaves included. */
export const maxNodes = 100_000
/**
 * Characters that all names of one body have together. A name repeats those of its ancestors, so that one long key
 * above thousands of leaves would cost the square of the body.
 */
const maxNameCharacters = 4 * 1024 * 1024

export type Leaves = {
  readonly found: readonly Leaf[]
  /** False: a bound is met, and the parser stops with `stopped()`. */
  add(name: string, value: string, lengthExempt?: boolean): boolean
  /** False: too many nodes. */
  node(): boolean
  /** Text that is no value, but that somebody may read: a comment, a preamble. */
  beside(text: string): void
  /** All such texts, a line each; empty if there are none. */
  besides(): string
  stopped(): ParseResult
  /** Forgets what was found, for another parser to try. */
  clear(): void
}

/** `room`: arguments that may still be added. */
export function createLeaves(room: number): Leaves {
  const found: Leaf[] = []
  const others: string[] = []
  let nodes = 0
  let characters = 0
  let met: Met | undefined
  return {
    found,
    add(name, value, lengthExempt = false) {
      characters += name.length
      if (found.length >= room) {
        met = { bound: 'arguments', actual: maxArguments + 1, limit: maxArguments }
      } else if (characters > maxNameCharacters) {
        met = { bound: 'body', actual: characters, limit: maxNameCharacters }
      } else {
        found.push({ name, value, lengthExempt })
        return true
      }
      return false
    },
    node() {
      if (++nodes <= maxNodes) return true
      met = { bound: 'body', actual: nodes, limit: maxNodes }
      return false
    },
    beside(text) {
      if (text.trim() !== '') others.push(text)
    },
    besides: () => others.join('\n'),
    stopped: () => (met === undefined ? parsed : { kind: 'stopped', met }),
    clear() {
      found.length = 0
      others.length = 0
      nodes = 0
      characters = 0
    },
  }
}

export const tooDeep = (limit: number): ParseResult => ({
  kind: 'stopped',
  met: { bound: 'depth', actual: limit + 1, limit },
})

/** Where a character of the decoded text stands among the bytes. */
export const malformedAt = (text: string, at: number): ParseResult => ({
  kind: 'malformed',
  byte: Buffer.byteLength(text.slice(0, at)),
})
