// Patches of operators, applied to generated resources. A patch that may not be, or does not fit, changes nothing and is a
// problem of the template; all of them are told together, and then nothing is published (spec control-plane 2.13).
import {
  type AdvancedPatch,
  type PatchTarget,
  type Problem,
  type ProxyTemplate,
  formatProblem,
} from '#config'
import { constraintBroken } from '../../constraints.ts'
import { ProtoJsonError } from '../../proto-json.ts'
import { type Json, type JsonObject, isObject } from '../json.ts'
import { badExpression } from './expressions.ts'
import { type Found, forbidden } from './forbidden.ts'
import { PatchFailed, jsonPatch } from './json-patch.ts'
import { mergePatch } from './merge-patch.ts'
import { pointerOf } from './pointer.ts'
import { differences } from './same-json.ts'
import { describe, targets } from './targets.ts'

/** What this installation lets patches do beyond the rule. */
export type PatchLimits = {
  /** Fields that are not on the list may change. */
  readonly unsafe: boolean
  /** Extensions that run code and may come in. */
  readonly allow: readonly string[]
}

export const strictPatches: PatchLimits = { unsafe: false, allow: [] }

/** Where a resource belongs; left out where a target cannot be narrowed to it. */
export type Owner = {
  readonly protocol: 'http' | 'https'
  readonly listener?: string
  /** Of a virtual host: all that it has. */
  readonly entry?: string | readonly string[]
  readonly service?: string
}

export class PatchesRefused extends Error {
  override readonly name = 'PatchesRefused'
  readonly problems: readonly Problem[]
  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'))
    this.problems = problems
  }
}

const fits = (wanted: string | undefined, is: string | readonly string[] | undefined): boolean =>
  wanted === undefined || (Array.isArray(is) ? is.includes(wanted) : wanted === is)

/** The patches of a template that concern a resource, in order. */
export const patchesFor = (
  template: ProxyTemplate,
  target: PatchTarget,
  owner: Owner,
): readonly AdvancedPatch[] =>
  template.advanced.filter(
    (patch) =>
      patch.target === target &&
      patch.protocols.includes(owner.protocol) &&
      fits(patch.listener, owner.listener) &&
      fits(patch.entry, owner.entry) &&
      fits(patch.service, owner.service),
  )

export type Patcher = {
  /** The resource with the template's patches, `@type` untouched. */
  apply(template: ProxyTemplate, target: PatchTarget, owner: Owner, resource: JsonObject): JsonObject
  /** Throws PatchesRefused when a patch could not be applied. */
  assertApplied(): void
}

const remedies = {
  expression: 'Correct the expression there; the syntax is that of RE2.',
  field: 'Leave it out, or say it with the fields of the documents.',
  list: 'Change only the fields that the target allows; where lists may grow, add with a JSON patch to "…/-".',
}

type Outcome = { readonly made: JsonObject } | (Found & { readonly remedy: string })

/** What the patch makes of the resource, or why it may not. */
function attempt(
  { target, change }: AdvancedPatch,
  resource: JsonObject,
  template: ProxyTemplate,
  limits: PatchLimits,
): Outcome {
  const { message, allows } = targets[target]
  const made =
    change.kind === 'merge'
      ? mergePatch(resource, change.merge as Json)
      : jsonPatch(resource, change.operations)
  if (!isObject(made)) return { pointer: '', reason: 'leaves no resource', remedy: remedies.field }
  const { '@type': _, ...fields } = made
  const unfit = constraintBroken(message, fields)
  if (unfit) return { ...unfit, remedy: 'Correct the value there: Envoy would refuse it.' }
  const clientHeaders = new Set(
    ['x-forwarded-for', ...template.clientAddressHeaders, template.realIpHeader].map((name) =>
      name.toLowerCase().replaceAll('_', '-'),
    ),
  )
  const allow = new Set(limits.allow)
  for (const difference of differences(resource, made)) {
    const found = forbidden(difference, allow, clientHeaders)
    if (found) return { ...found, remedy: remedies.field }
    const names = difference.path[0] === 'name' || difference.path[0] === '@type'
    if ((names || !limits.unsafe) && !allows(difference))
      return { pointer: pointerOf(difference.path), reason: describe(difference), remedy: remedies.list }
    const bad = badExpression(difference)
    if (bad) return { ...bad, remedy: remedies.expression }
  }
  return { made }
}

/** The configuration inside an extension, patched. */
export function patchedExtension(
  patcher: Patcher,
  template: ProxyTemplate,
  target: PatchTarget,
  owner: Owner,
  extension: JsonObject,
): JsonObject {
  const config = extension['typed_config']
  if (config === undefined || !isObject(config)) return extension
  const made = patcher.apply(template, target, owner, config)
  return made === config ? extension : { ...extension, typed_config: made }
}

export function createPatcher(limits: PatchLimits): Patcher {
  const problems = new Map<string, Problem>()

  function refuse(template: ProxyTemplate, patch: AdvancedPatch, found: Found, remedy: string): void {
    const which = patch.position === 0 ? '' : `patch ${String(patch.position)}: `
    const where = found.pointer === '' ? '' : ` at ${found.pointer}`
    const problem: Problem = {
      file: 'proxy-templates.json',
      document: 'proxy-templates',
      entry: template.id,
      field: patch.field,
      reason: `${which}${found.reason}${where}`,
      remedy,
    }
    problems.set(formatProblem(problem), problem)
  }

  function applyOne(template: ProxyTemplate, patch: AdvancedPatch, resource: JsonObject): JsonObject {
    try {
      const outcome = attempt(patch, resource, template, limits)
      if ('made' in outcome) return outcome.made
      refuse(template, patch, outcome, outcome.remedy)
    } catch (error) {
      if (error instanceof PatchFailed)
        refuse(
          template,
          patch,
          { pointer: error.pointer, reason: error.message },
          'Name a place that is there.',
        )
      else if (error instanceof ProtoJsonError)
        refuse(template, patch, error, 'Write the field as Envoy names it.')
      else throw error
    }
    return resource
  }

  return {
    apply: (template, target, owner, resource) =>
      patchesFor(template, target, owner).reduce((made, patch) => applyOne(template, patch, made), resource),
    assertApplied() {
      if (problems.size > 0) throw new PatchesRefused([...problems.values()])
    },
  }
}
