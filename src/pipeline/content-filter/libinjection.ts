// SQL injection and XSS detection by libinjection, which Weir reaches through Datadog's native WAF: two rules on one
// address. One call judges all values of a request, because the call itself costs more than a short value does.
import { createRequire } from 'node:module'
import type * as NativeAppsec from '@datadog/native-appsec'

// CommonJS whose export names Node cannot see, and whose types know no default export.
const { DDWAF } = createRequire(import.meta.url)('@datadog/native-appsec') as typeof NativeAppsec

export type InjectionKind = 'sqli' | 'xss'

export type Injection = { readonly kind: InjectionKind; readonly fingerprint: string }

/** The library reads no further; longer values are fed in windows that overlap (spec pipeline 4.9). */
const windowLength = 4096
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

/**
 * A single word cannot be an injection: both detectors need at least a quote, a bracket, an operator, a comment or
 * white space. Keeps the native call away from most values.
 */
export function mayInject(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i)
    const word = (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 95 || c === 46
    if (!word && !isJoint(c, value.charCodeAt(i + 1))) return true
  }
  return false
}

/** A dash or a slash between words, where it does not begin a comment. */
function isJoint(c: number, next: number): boolean {
  if (c === 45) return next !== 45
  return c === 47 && next !== 42 && next !== 47
}

function windows(value: string): readonly string[] {
  if (value.length <= windowLength) return [value]
  const parts: string[] = []
  for (let start = 0; start < value.length; start += windowLength - windowOverlap) {
    parts.push(value.slice(start, start + windowLength))
    if (start + windowLength >= value.length) break
  }
  return parts
}

type Event = {
  readonly rule: { readonly id: string }
  readonly rule_matches: readonly {
    readonly parameters: readonly { readonly highlight?: readonly string[] }[]
  }[]
}

export type InjectionDetector = {
  /** Whether any of the values may be an injection: one native call per 256 values. */
  any(values: readonly string[]): boolean
  /** What this value is, at most one of each kind. */
  inspect(value: string): readonly Injection[]
}

/** Compiles a detector; throws when the native library refuses its rules (a broken installation). */
export function createInjectionDetector(kinds: readonly InjectionKind[]): InjectionDetector {
  if (kinds.length === 0) return { any: () => false, inspect: () => [] }
  const waf = new DDWAF(ruleset(kinds), 'libinjection')
  const run = (values: readonly string[]): readonly Event[] => {
    const context = waf.createContext()
    try {
      const result = context.run({ ephemeral: { values: [...values] } }, timeoutMicroseconds)
      return (result.events ?? []) as readonly Event[]
    } finally {
      context.dispose()
    }
  }
  const isKind = (id: string): id is InjectionKind => id === 'sqli' || id === 'xss'
  return {
    any(values) {
      const parts = values.flatMap(windows)
      for (let i = 0; i < parts.length; i += batchSize) {
        if (run(parts.slice(i, i + batchSize)).length > 0) return true
      }
      return false
    },
    inspect(value) {
      const found = new Map<InjectionKind, Injection>()
      for (const part of windows(value)) {
        for (const event of run([part])) {
          const { id } = event.rule
          if (!isKind(id) || found.has(id)) continue
          found.set(id, { kind: id, fingerprint: event.rule_matches[0]?.parameters[0]?.highlight?.[0] ?? '' })
        }
      }
      return [...found.values()]
    },
  }
}
