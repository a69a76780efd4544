// SQL injection and XSS detection by libinjection, which Weir reaches through Datadog's native WAF: two rules on one
// address. One call judges all values of a request, because the call itself costs more than a short value does.
import { createRequire } from 'node:module'
import type * as NativeAppsec from '@datadog/native-appsec'

// CommonJS whose export names Node cannot see, and whose types know no default export.
const { DDWAF } = createRequire(import.meta.url)('@datadog/native-appsec') as typeof NativeAppsec

export type InjectionKind = 'sqli' | 'xss'

export type Injection = { readonly kind: InjectionKind; readonly fingerprint: string }

/** The library reads no further; longer values are fed in windows that overlap (spec pipeline 4.9). */
const windowBytes = 4096
const windowOverlap = 256
/** The library reads no more elements of one list. */
const batchSize = 256
const timeoutMicroseconds = 1_000_000

const rule = (kind: InjectionKind): object => ({
  id: kind,
  name: kind,
  tags: { type: kind, category: 'attack_attempt' },
  conditions: [{ operator: `is_${kind}`, parameters: { inputs: [{ address: 'values' }] } }],
  transformers: [],
})

const ruleset = (kinds: readonly InjectionKind[]): object => ({
  version: '2.2',
  metadata: { rules_version: '1' },
  rules: kinds.map(rule),
})

/** What the library is to read of a text, piece by piece. It counts bytes: a unit of UTF-16 takes at most three. */
export function windows(value: string): readonly string[] {
  if (value.length * 3 <= windowBytes) return [value]
  const length = beyondAscii.test(value) ? Math.trunc(windowBytes / 3) : windowBytes
  if (value.length <= length) return [value]
  const parts: string[] = []
  for (let start = 0; start < value.length; start += length - windowOverlap) {
    parts.push(value.slice(start, start + length))
    if (start + length >= value.length) break
  }
  return parts
}

const beyondAscii = /[^\x00-\x7f]/

type Event = {
  readonly rule: { readonly id: string }
  readonly rule_matches: readonly {
    readonly parameters: readonly {
      readonly highlight?: readonly string[]
      readonly key_path?: readonly string[]
    }[]
  }[]
}

export type InjectionDetector = {
  /** What may be among the texts: one native call per 256 of them. */
  kindsIn(texts: readonly string[]): ReadonlySet<InjectionKind>
  /**
   * What `judge` accepts of each text, at most one of each kind; by place in the list. A text of many parts is judged once.
   * `among`: the kinds to look for, where others are known not to be there.
   */
  find(texts: readonly string[], judge: Judge, among?: ReadonlySet<InjectionKind>): readonly Found[]
}

type Judge = (kind: InjectionKind, text: string) => (fingerprint: string) => boolean

export type Found = Injection & { readonly index: number }

/** Runs of one context; each keeps some memory until its context is disposed of. */
const runsPerContext = 128

type Run = (values: readonly string[]) => readonly Event[]

function createRun(kinds: readonly InjectionKind[]): Run {
  const waf = new DDWAF(ruleset(kinds), 'libinjection')
  let context = waf.createContext()
  let runs = 0
  return (values) => {
    if (++runs > runsPerContext) {
      context.dispose()
      context = waf.createContext()
      runs = 1
    }
    return (context.run({ ephemeral: { values: [...values] } }, timeoutMicroseconds).events ??
      []) as readonly Event[]
  }
}

/** The library tells the first match of a list only, so that lists are short where many may match. */
const searchSize = 16

type Part = { readonly index: number; readonly text: string }

/** Compiles a detector; throws when the native library refuses its rules (a broken installation). */
export function createInjectionDetector(kinds: readonly InjectionKind[]): InjectionDetector {
  if (kinds.length === 0) return { kindsIn: () => new Set(), find: () => [] }
  const runAll = createRun(kinds)
  const runOne = kinds.map((kind) => ({ kind, run: createRun([kind]) }))

  return {
    kindsIn(texts) {
      const found = new Set<InjectionKind>()
      const parts = texts.flatMap(windows)
      for (let i = 0; i < parts.length && found.size < kinds.length; i += batchSize) {
        const events = runAll(parts.slice(i, i + batchSize))
        for (const kind of kinds) if (events.some(({ rule: { id } }) => id === kind)) found.add(kind)
      }
      return found
    },
    find(texts, judge, among) {
      const found: Found[] = []
      const parts = texts.flatMap((text, index) => windows(text).map((part): Part => ({ index, text: part })))
      for (const { kind, run } of runOne) {
        if (among?.has(kind) === false) continue
        let last = -1
        let judged = -1
        let accepts: ReturnType<Judge> = () => false
        for (let from = 0; from < parts.length;) {
          const batch = parts.slice(from, from + searchSize)
          const [event] = run(batch.map(({ text }) => text))
          const match = event?.rule_matches[0]?.parameters[0]
          const place = Number(match?.key_path?.[0] ?? batch.length)
          from += Math.min(place + 1, batch.length)
          const part = batch[place]
          const fingerprint = match?.highlight?.[0] ?? ''
          if (part === undefined || part.index === last) continue
          if (part.index !== judged) {
            judged = part.index
            accepts = judge(kind, texts[judged] ?? '')
          }
          if (!accepts(fingerprint)) continue
          last = judged
          found.push({ kind, fingerprint, index: last })
        }
      }
      return found
    },
  }
}
