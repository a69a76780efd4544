// Patches of the generated Envoy resources, as a template writes them: text with a list of them, JSON or YAML. Here the
// text is read and each patch gets its shape; whether it may do what it does is known where the resources are made
// (spec control-plane 2.13).
import { type Static, Type } from 'typebox'
import { duplicate, finding, notOneOf, required, unknownField, wrongType } from '../findings.ts'
import type { AdvancedPatch, Json, PatchOperation, PatchTarget } from '../policy.ts'
import type { Report } from '../problem.ts'
import { parseJson } from '../read/json-text.ts'
import { parseYaml } from '../read/yaml-text.ts'
import { isList, isObject } from '../schema/json.ts'
import { foreignDirective } from './foreign-directives.ts'

const mostBytes = 64 * 1024
/** Patches in one text, and values in all of them: aliases of YAML can make many of few. */
const mostPatches = 100
const mostValues = 20_000
const mostDeep = 64

const protocols = ['http', 'https'] as const

export const advancedConfiguration = Type.Array(
  Type.Object(
    {
      name: Type.String({ minLength: 1, maxLength: 250, description: 'Unique in the template.' }),
      description: Type.Optional(
        Type.Union([Type.Null(), Type.String()], { description: 'For people.', expected: 'text or null' }),
      ),
      protocol: Type.Optional(
        Type.Array(Type.Enum([...protocols]), {
          minItems: 1,
          description: 'Listeners whose resources are changed. Default: both.',
        }),
      ),
      configuration: Type.String({
        description: 'JSON or YAML, up to 64 KB: a list of {target, match, merge} or {target, match, patch}.',
      }),
    },
    { additionalProperties: false },
  ),
  { maxItems: 100, description: 'Patches of Envoy resources. Default: none.' },
)
type Given = Static<typeof advancedConfiguration>

/** What each target can be narrowed to. */
const targets: Readonly<Record<PatchTarget, 'listener' | 'entry' | 'service'>> = {
  http_connection_manager: 'listener',
  filter_chain: 'listener',
  downstream_tls: 'listener',
  virtual_host: 'entry',
  route: 'entry',
  cluster: 'service',
  upstream_tls: 'service',
}
const targetNames = Object.keys(targets)
const isTarget = (value: unknown): value is PatchTarget =>
  typeof value === 'string' && Object.hasOwn(targets, value)

export const isConnectionLevel = (target: PatchTarget): boolean => targets[target] === 'listener'

/** Whether the value is plain JSON of a size that can be walked often. */
function isJson(value: unknown, budget: { left: number }, depth = 0): value is Json {
  budget.left -= 1
  if (budget.left < 0 || depth > mostDeep) return false
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (isList(value)) return value.every((item) => isJson(item, budget, depth + 1))
  return (
    isObject(value) &&
    Object.entries(value).every(([key, item]) => key !== '__proto__' && isJson(item, budget, depth + 1))
  )
}

const isPointer = (value: unknown): value is string => typeof value === 'string' && /^(?:$|\/)/.test(value)

function readOperation(given: Json): PatchOperation | string {
  if (!isObject(given)) return 'must be an object with op and path'
  const { op, path, from, value } = given
  if (!isPointer(path)) return 'path must be a JSON pointer such as /route/idle_timeout'
  switch (op) {
    case 'add':
    case 'replace':
    case 'test':
      return value === undefined ? `${op} needs a value` : { op, path, value }
    case 'remove':
      return { op, path }
    case 'move':
    case 'copy':
      return isPointer(from) ? { op, from, path } : `${op} needs from, a JSON pointer`
    default:
      return 'op must be one of add, remove, replace, move, copy, test'
  }
}

type Shape = Omit<AdvancedPatch, 'name' | 'field' | 'position' | 'protocols'>

/** Reads one patch, or says what is wrong with it. */
type Complain = (reason: string, remedy: string) => undefined

function readChange(
  given: Readonly<Record<string, unknown>>,
  complain: Complain,
): Shape['change'] | undefined {
  const { merge, patch } = given as { readonly [field: string]: Json | undefined }
  if ((merge === undefined) === (patch === undefined))
    return complain('one of merge and patch is needed', 'Write merge (RFC 7396) or patch (RFC 6902).')
  if (patch === undefined) {
    return isObject(merge)
      ? { kind: 'merge', merge: merge as Json }
      : complain('merge must be an object', 'Write the fields to change, as in Envoy’s proto3 JSON.')
  }
  if (!isList(patch)) return complain('patch must be a list', 'Write a list of operations (RFC 6902).')
  const operations: PatchOperation[] = []
  for (const [i, one] of patch.entries()) {
    const operation = readOperation(one)
    if (typeof operation === 'string')
      return complain(`patch[${String(i)}]: ${operation}`, 'Write operations as RFC 6902 has them.')
    operations.push(operation)
  }
  return { kind: 'patch', operations }
}

function readMatch(given: unknown, target: PatchTarget, complain: Complain): Partial<Shape> | undefined {
  if (given === undefined || given === null) return {}
  const known = targets[target]
  if (!isObject(given)) return complain('match must be an object', `Write {"${known}": "<id>"}.`)
  for (const [key, value] of Object.entries(given)) {
    if (key !== known) {
      const { reason, remedy } = unknownField(key, [known])
      return complain(`match of ${target}: ${reason}`, remedy)
    }
    if (typeof value !== 'string') return complain(`match.${key} must be an id`, 'Write the id as text.')
  }
  return { [known]: given[known] }
}

function readPatch(given: unknown, complain: Complain): Shape | undefined {
  if (!isObject(given)) return complain('must be an object', 'Write {"target": …, "merge": {…}}.')
  const { target } = given
  if (!isTarget(target)) {
    const { reason, remedy } = target === undefined ? required('target', '') : notOneOf(targetNames, target)
    return complain(`target: ${reason}`, remedy)
  }
  const fields = ['target', 'match', 'merge', 'patch']
  const unknown = Object.keys(given).find((key) => !fields.includes(key))
  if (unknown !== undefined) {
    const { reason, remedy } = unknownField(unknown, fields)
    return complain(reason, remedy)
  }
  const match = readMatch(given['match'], target, complain)
  const change = readChange(given, complain)
  if (match === undefined || change === undefined) return undefined
  return { target, listener: undefined, entry: undefined, service: undefined, ...match, change }
}

/** The patches in the text; undefined, with a problem, when it holds none. */
function readText(text: string, field: string, report: Report): readonly unknown[] | undefined {
  const refuse = (reason: string, remedy: string): undefined => {
    report.problem(field, finding(reason, remedy))
    return undefined
  }
  if (Buffer.byteLength(text) > mostBytes)
    return refuse('must be ≤ 64 KB', 'Divide it among several elements.')
  const foreign = foreignDirective(text)
  if (foreign !== undefined) return refuse(foreign.reason, foreign.remedy)
  const parsed = /^\s*[[{]/.test(text) ? parseJson(text) : parseYaml(text)
  if (!parsed.ok) {
    const { line, column, why } = parsed.problem
    return refuse(`line ${String(line)}, column ${String(column)}: ${why}`, 'Correct the text there.')
  }
  if (!isJson(parsed.value, { left: mostValues }))
    return refuse(`holds more than ${String(mostValues)} values, or more than JSON can say`, 'Shorten it.')
  const list = isObject(parsed.value) ? [parsed.value] : parsed.value
  if (!isList(list)) {
    const { reason, remedy } = wrongType('a list of patches', list)
    return refuse(reason, remedy)
  }
  return list.length > mostPatches
    ? refuse(`must have at most ${String(mostPatches)} patches`, 'Divide it among several elements.')
    : list
}

/** The patches of a template, in order. */
export function readAdvanced(template: string, given: Given, report: Report): readonly AdvancedPatch[] {
  const names = new Map<string, number>()
  return given.flatMap((element, i): readonly AdvancedPatch[] => {
    const field = `advanced_configuration[${String(i)}]`
    const other = names.get(element.name)
    if (other !== undefined)
      report.problem(`${field}.name`, duplicate('name', `advanced_configuration[${String(other)}]`))
    names.set(element.name, i)
    const found = readText(element.configuration, field, report) ?? []
    const used = element.protocol ?? protocols
    return found.flatMap((one, at): readonly AdvancedPatch[] => {
      const position = found.length === 1 ? 0 : at + 1
      const shape = readPatch(one, (reason, remedy) => {
        const which = position === 0 ? '' : `patch ${String(position)}: `
        report.problem(field, finding(`${which}${reason}`, remedy))
      })
      if (shape === undefined) return []
      if (isConnectionLevel(shape.target) && template !== '__default__' && !used.includes('https'))
        report.warning(
          field,
          finding(
            `${shape.target} of plaintext listeners is shared by all sites, so this patch has no effect`,
            'Write it into the template __default__.',
          ),
        )
      return [{ name: element.name, field, position, protocols: used, ...shape }]
    })
  })
}
