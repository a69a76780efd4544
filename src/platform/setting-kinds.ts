// The kinds of value that a process setting can have. Each is a TypeBox schema of what may be written, and the function
// that turns it into what the program uses. Text (variables, flags) is read by the same schema after one step.
import { type Static, type TSchema, Type } from 'typebox'
import { Check } from 'typebox/value'
import { parseCidr } from './address.ts'

/** `value` is what was written; undefined: it does not fit. */
export type Setting<T> = {
  readonly about: string
  /** A noun phrase for messages: `a duration such as 30s`. */
  readonly expected: string
  /** As it would be written in the file; undefined: none. */
  readonly fallback: unknown
  read(value: unknown): T | undefined
  /** What a variable or a flag stands for. */
  fromText(text: string): unknown
}

/** Where something listens or is dialled; `port` 0 lets the kernel choose. */
export type SocketPlace = { readonly host: string; readonly port: number }

/** `host:port`, with brackets where IPv6 needs them. */
export const formatPlace = ({ host, port }: SocketPlace): string =>
  host.includes(':') ? `[${host}]:${String(port)}` : `${host}:${String(port)}`

type Declared<S extends TSchema, T> = {
  readonly about: string
  readonly expected: string
  readonly fallback: Static<S> | undefined
  readonly convert: (value: Static<S>) => T | undefined
  readonly fromText?: (text: string) => unknown
}

function setting<S extends TSchema, T>(schema: S, declared: Declared<S, T>): Setting<T> {
  const { about, expected, fallback, convert, fromText = (text) => text } = declared
  return {
    about,
    expected,
    fallback,
    fromText,
    read: (value) => (Check(schema, value) ? convert(value) : undefined),
  }
}

const asIs = <T>(value: T): T => value

export const text = (fallback: string | undefined, about: string): Setting<string> =>
  setting(Type.String({ minLength: 1 }), { about, expected: 'a non-empty text', fallback, convert: asIs })

/** A shared secret that is sent as `Bearer`: the letters of RFC 6750, long enough not to be guessed. */
export const token = (about: string): Setting<string> =>
  setting(Type.String({ pattern: '^[A-Za-z0-9._~+/-]{16,256}={0,2}$' }), {
    about,
    expected: 'at least 16 letters, digits or . _ ~ + / -',
    fallback: undefined,
    convert: asIs,
  })

export const choice = <const W extends string>(words: readonly W[], fallback: W, about: string): Setting<W> =>
  setting(Type.String(), {
    about,
    expected: `one of ${words.join(', ')}`,
    fallback,
    convert: (value) => words.find((word) => word === value),
  })

const truth: Readonly<Record<string, boolean>> = { true: true, false: false, 1: true, 0: false }

export const yesNo = (fallback: boolean, about: string): Setting<boolean> =>
  setting(Type.Boolean(), {
    about,
    expected: 'true or false',
    fallback,
    convert: asIs,
    fromText: (word) => truth[word] ?? word,
  })

type Range = { readonly from: number; readonly to: number }

const numberOf = (word: string): unknown => (/^-?\d+$/.test(word) ? Number(word) : word)

export const count = ({ from, to }: Range, fallback: number, about: string): Setting<number> =>
  setting(Type.Integer({ minimum: from, maximum: to }), {
    about,
    expected: `a whole number from ${String(from)} to ${String(to)}`,
    fallback,
    convert: asIs,
    fromText: numberOf,
  })

const milliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds. A bare 0 needs no unit. */
export const duration = (fallback: string, about: string): Setting<number> =>
  setting(Type.Union([Type.String(), Type.Literal(0)]), {
    about,
    expected: 'a duration such as 500ms, 30s or 5m',
    fallback,
    convert(value) {
      const [, digits, unit = ''] = /^(\d{1,9})(ms|s|m|h)$/.exec(value === '0' ? '0s' : String(value)) ?? []
      if (value === 0) return 0
      const factor = milliseconds[unit]
      return digits === undefined || factor === undefined ? undefined : Number(digits) * factor
    },
  })

const multiples: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** Bytes. */
export const size = ({ from, to }: Range, fallback: string, about: string): Setting<number> =>
  setting(Type.Union([Type.String(), Type.Integer()]), {
    about,
    expected: `a size such as 64MiB, from ${String(from)} to ${String(to)} bytes`,
    fallback,
    convert(value) {
      const [, digits, unit = ''] = /^(\d{1,15})(|KiB|MiB|GiB)$/.exec(String(value)) ?? []
      const factor = multiples[unit]
      if (digits === undefined || factor === undefined) return undefined
      const bytes = Number(digits) * factor
      return bytes >= from && bytes <= to ? bytes : undefined
    },
  })

/** Reads `host:port` or `[v6]:port`; undefined if it is neither. */
export function parsePlace(value: string): SocketPlace | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(value) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  return host === undefined || port > 65_535 ? undefined : { host, port }
}

const hostName = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?$/

/** Host names, addresses and prefixes. */
export const hosts = (about: string): Setting<readonly string[]> =>
  setting(Type.Array(Type.String()), {
    about,
    expected: 'a list of host names, addresses or prefixes, such as crl.example.com or 10.0.0.0/8',
    fallback: [],
    convert: (values) =>
      values.every((one) => parseCidr(one.replace(/^\[(.*)\]$/, '$1')) !== undefined || hostName.test(one))
        ? values
        : undefined,
    fromText: (list) => list.split(',').map((one) => one.trim()),
  })

/** Some of a few words. */
export const someOf = <const W extends string>(words: readonly W[], about: string): Setting<readonly W[]> =>
  setting(Type.Array(Type.String()), {
    about,
    expected: `a list of some of ${words.join(', ')}`,
    fallback: [],
    convert(values) {
      const known = values.flatMap((value) => words.find((word) => word === value) ?? [])
      return known.length === values.length ? known : undefined
    },
    fromText: (list) => list.split(',').map((one) => one.trim()),
  })

export const place = (fallback: string | undefined, about: string): Setting<SocketPlace> =>
  setting(Type.String(), {
    about,
    expected: 'an address and a port, such as 127.0.0.1:8080 or [::1]:8080',
    fallback,
    convert: parsePlace,
  })

export const places = (fallback: readonly string[], about: string): Setting<readonly SocketPlace[]> =>
  setting(Type.Array(Type.String(), { minItems: 1 }), {
    about,
    expected: 'a list of addresses with ports, such as 127.0.0.1:9191',
    fallback: [...fallback],
    convert(values) {
      const read = values.map(parsePlace)
      return read.every((one) => one !== undefined) ? read : undefined
    },
    fromText: (list) => list.split(',').map((one) => one.trim()),
  })
