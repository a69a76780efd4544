// Selectors: one-key objects that name one value of a request (spec pipeline 3.4).
import { type Static, Type } from 'typebox'
import type { Attribute, Selector } from '../policy.ts'

export const attributes = [
  'ip',
  'network',
  'asn',
  'organization',
  'country',
  'region',
  'subregion',
  'method',
  'authority',
  'path',
  'query',
  'uri',
  'tags',
  'session',
  'securitypolicyid',
  'securitypolicyentryid',
] as const satisfies readonly Attribute[]

const attributeAliases = {
  company: 'organization',
  securitypolicy: 'securitypolicyid',
  secpolid: 'securitypolicyid',
  securitypolicyentry: 'securitypolicyentryid',
  secpolentryid: 'securitypolicyentryid',
}

const name = (what: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 1024, description: `Name of ${what}.` }))

const expected = 'an object with exactly one of headers, cookies, args, plugins, attrs'

const oneKey = {
  additionalProperties: false,
  minProperties: 1,
  maxProperties: 1,
  aliases: { arguments: 'args', attributes: 'attrs' },
  expected,
}

/** Schema of a selector; `allowed` narrows the attributes. */
export function selectorSchema<const Allowed extends readonly Attribute[]>(allowed: Allowed) {
  return Type.Object(
    {
      headers: name('a header; case does not count'),
      cookies: name('a cookie'),
      args: name('an argument of query or body. Also: `arguments`'),
      plugins: name('a value that another Envoy filter verified, `jwt.<claim>`'),
      attrs: Type.Optional(
        Type.Enum([...allowed], {
          aliases: attributeAliases,
          description: 'An attribute. Also: `attributes`.',
        }),
      ),
    },
    oneKey,
  )
}

export const selector = selectorSchema(attributes)

/** What the event of a rate limit rule may be besides: the request itself. */
export const selectorOrSelf = Type.Object(
  { ...selector.properties, self: Type.Optional(Type.Literal('self', { description: 'Each request.' })) },
  { ...oneKey, expected: `${expected}, self` },
)

type SelectorEntry = Static<typeof selectorOrSelf>

/** From the document's form; undefined for `self`. */
export function readSelector(entry: SelectorEntry): Selector | undefined {
  if (entry.headers !== undefined) return { in: 'headers', name: entry.headers.toLowerCase() }
  if (entry.cookies !== undefined) return { in: 'cookies', name: entry.cookies }
  if (entry.args !== undefined) return { in: 'args', name: entry.args }
  if (entry.plugins !== undefined) return { in: 'plugins', name: entry.plugins }
  const attribute = attributes.find((one) => one === entry.attrs)
  return attribute === undefined ? undefined : { in: 'attrs', attribute }
}

export const readSelectors = (entries: readonly SelectorEntry[]): readonly Selector[] =>
  entries.map(readSelector).filter((one) => one !== undefined)
