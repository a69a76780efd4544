// The constraints that Envoy's .proto files put on fields (`validate.rules`), for objects that an operator had a hand in:
// Envoy would refuse the whole resource, and say so only when it has it. The rules are those that the files use; one that
// is not known here is left to Envoy.
import protobuf from 'protobufjs'
import { fromJson } from './proto-json.ts'
import { isKnown, lookup } from './protos.ts'

export type Violation = { readonly pointer: string; readonly reason: string }

type Fields = { readonly [name: string]: unknown }

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Bounds are numbers, and texts are texts; anything else is a rule that is left to Envoy. */
const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? `${value}` : ''

const token = (key: string | number): string => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`

/** Numbers of 64 bits come as objects. */
const numberOf = (value: unknown): number => Number(value ?? 0)

const durationOf = (value: unknown): number =>
  isFields(value) ? numberOf(value['seconds']) + numberOf(value['nanos']) / 1e9 : 0

function outOfBounds(
  value: number,
  rules: Fields,
  of: (bound: unknown) => number,
  unit = '',
): string | undefined {
  const { gt, gte, lt, lte } = rules
  if (gt !== undefined && !(value > of(gt))) return `must be > ${String(of(gt))}${unit}`
  if (gte !== undefined && !(value >= of(gte))) return `must be ≥ ${String(of(gte))}${unit}`
  if (lt !== undefined && !(value < of(lt))) return `must be < ${String(of(lt))}${unit}`
  if (lte !== undefined && !(value <= of(lte))) return `must be ≤ ${String(of(lte))}${unit}`
  return undefined
}

function wrongText(value: string, rules: Fields): string | undefined {
  const { min_len, max_bytes, well_known_regex, strict, pattern } = rules
  if (rules['ignore_empty'] === true && value === '') return undefined
  if (min_len !== undefined && [...value].length < numberOf(min_len))
    return value === '' ? 'must not be empty' : `must have at least ${textOf(min_len)} characters`
  if (max_bytes !== undefined && Buffer.byteLength(value) > numberOf(max_bytes))
    return `must have at most ${textOf(max_bytes)} bytes`
  const isName = well_known_regex === 'HTTP_HEADER_NAME'
  if (isName && strict !== false && value !== '' && !/^:?[0-9A-Za-z!#$%&'*+.^_|~`-]+$/.test(value))
    return 'must be a header name'
  // eslint-disable-next-line no-control-regex -- these are what the rule is about
  if (well_known_regex !== undefined && /[\0\r\n]/.test(value)) return 'must not have line breaks'
  if (typeof pattern === 'string' && !new RegExp(pattern).test(value)) return `must match ${pattern}`
  return undefined
}

function wrongEnum(value: number, field: protobuf.Field, rules: Fields): string | undefined {
  const type = field.resolvedType
  if (!(type instanceof protobuf.Enum)) return undefined
  const name = type.valuesById[value]
  if (rules['defined_only'] === true && name === undefined) return 'must be a value of the enumeration'
  const excluded = rules['not_in']
  const list: readonly unknown[] = Array.isArray(excluded)
    ? excluded
    : excluded === undefined
      ? []
      : [excluded]
  return list.includes(value) ? `must not be ${name ?? String(value)}` : undefined
}

const isWrapper = (field: protobuf.Field): boolean =>
  /^\.google\.protobuf\.(?:U?Int(?:32|64)|Double|Float|String|Bytes|Bool)Value$/.test(
    field.resolvedType?.fullName ?? '',
  )

/** What one value breaks; undefined stands for a message that is not there. */
function broken(field: protobuf.Field, value: unknown, rules: Fields): string | undefined {
  for (const kind of ['message', 'any', 'duration'] as const) {
    const own = rules[kind]
    if (isFields(own) && own['required'] === true && value === undefined) return 'is required'
  }
  if (value === undefined) return undefined
  const plain = isWrapper(field) && isFields(value) ? value['value'] : value
  for (const [kind, own] of Object.entries(rules)) {
    if (!isFields(own)) continue
    const reason =
      kind === 'string'
        ? wrongText(textOf(plain), own)
        : kind === 'duration'
          ? outOfBounds(durationOf(value), own, durationOf, ' s')
          : kind === 'enum'
            ? wrongEnum(numberOf(plain), field, own)
            : /^(?:u?int|s?fixed)(?:32|64)$|^(?:double|float)$/.test(kind)
              ? outOfBounds(numberOf(plain), own, numberOf)
              : undefined
    if (reason !== undefined) return reason
  }
  return undefined
}

function rulesOf(field: protobuf.Field): Fields {
  const options: readonly unknown[] = field.parsedOptions ?? []
  const found = options.flatMap((one) =>
    isFields(one) && isFields(one['(validate.rules)']) ? one['(validate.rules)'] : [],
  )
  return Object.assign({}, ...found) as Fields
}

/** Scalars of proto3 that nobody set have a value all the same. */
const unset = (field: protobuf.Field): unknown =>
  field.resolvedType instanceof protobuf.Type ? undefined : field.typeDefault

function inField(field: protobuf.Field, value: unknown, depth: number): Violation | undefined {
  field.resolve()
  const rules = rulesOf(field)
  if (field.repeated || field instanceof protobuf.MapField) {
    const own = rules[field.repeated ? 'repeated' : 'map']
    const entries: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
      ? [...value.entries()]
      : Object.entries(isFields(value) ? value : {})
    const { min_items, min_pairs, max_items, items } = isFields(own) ? own : {}
    const least = min_items ?? min_pairs
    if (least !== undefined && entries.length < numberOf(least))
      return {
        pointer: '',
        reason: `must have at least ${textOf(least)} element${numberOf(least) === 1 ? '' : 's'}`,
      }
    if (max_items !== undefined && entries.length > numberOf(max_items))
      return { pointer: '', reason: `must have at most ${textOf(max_items)} elements` }
    for (const [key, item] of entries) {
      const found = inValue(field, item, isFields(items) ? items : {}, depth)
      if (found) return { ...found, pointer: token(key) + found.pointer }
    }
    return undefined
  }
  return inValue(field, value ?? unset(field), rules, depth)
}

function inValue(field: protobuf.Field, value: unknown, rules: Fields, depth: number): Violation | undefined {
  const reason = broken(field, value, rules)
  if (reason !== undefined) return { pointer: '', reason }
  const type = field.resolvedType
  return type instanceof protobuf.Type && isFields(value) ? inMessage(type, value, depth + 1) : undefined
}

function inAny(message: Fields, depth: number): Violation | undefined {
  const url = textOf(message['type_url'])
  const name = url.slice(url.lastIndexOf('/') + 1)
  // No bytes at all: a message of which no field is set.
  const bytes = message['value'] ?? new Uint8Array()
  if (!isKnown(name) || !(bytes instanceof Uint8Array)) return undefined
  const type = lookup(name)
  const inner: unknown = type.decode(bytes)
  return isFields(inner) ? inMessage(type, inner, depth + 1) : undefined
}

const mostDeep = 100

function inMessage(type: protobuf.Type, message: Fields, depth: number): Violation | undefined {
  if (depth > mostDeep) return undefined
  if (type.fullName === '.google.protobuf.Any') return inAny(message, depth)
  if (type.fullName.startsWith('.google.protobuf.')) return undefined
  const isSet = ({ name }: protobuf.Field): boolean =>
    Object.hasOwn(message, name) && message[name] !== null && message[name] !== undefined
  for (const { options, fieldsArray } of type.oneofsArray)
    if (options?.['(validate.required)'] === true && !fieldsArray.some(isSet))
      return { pointer: '', reason: `one of ${fieldsArray.map(({ name }) => name).join(', ')} is required` }
  for (const field of type.fieldsArray) {
    // Of several only one is there, and nothing is asked of the others.
    if (field.partOf && !isSet(field)) continue
    const found = inField(field, isSet(field) ? message[field.name] : undefined, depth)
    if (found) return { ...found, pointer: token(field.name) + found.pointer }
  }
  return undefined
}

/**
 * The first constraint that the message of a proto3 JSON object breaks. Throws ProtoJsonError when it is none of that type.
 */
export function constraintBroken(typeName: string, json: unknown): Violation | undefined {
  const message: unknown = fromJson(typeName, json)
  return isFields(message) ? inMessage(lookup(typeName), message, 0) : undefined
}
