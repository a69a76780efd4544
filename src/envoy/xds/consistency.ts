// Consistent, or not published: whatever a resource names is in the snapshot, and nothing is there twice.
// Envoy would accept a route to a cluster that does not exist and answer 503.
import { type Json, type JsonObject, isObject, textOf } from './json.ts'
import { kinds, typeUrlOf } from './resources.ts'
import type { Resource, Snapshot } from './snapshot.ts'

export class InconsistentSnapshot extends Error {
  override readonly name = 'InconsistentSnapshot'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`the generated Envoy configuration is not consistent: ${problems.join('; ')}`)
    this.problems = problems
  }
}

function duplicates(names: readonly string[]): readonly string[] {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const name of names)
    if (seen.has(name)) twice.add(name)
    else seen.add(name)
  return [...twice]
}

const objects = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : []

/** Envoy refuses a whole route configuration in which two virtual hosts claim one domain. */
function domainProblems(route: Resource): readonly string[] {
  const hosts = objects(route.json['virtual_hosts'])
  const domains = hosts.flatMap(({ domains }) =>
    Array.isArray(domains)
      ? domains.filter((name) => typeof name === 'string').map((name) => name.toLowerCase())
      : [],
  )
  return [
    ...duplicates(domains).map((name) => `route ${route.name} has the domain ${name} twice`),
    ...duplicates(hosts.map((host) => textOf(host, 'name'))).map(
      (name) => `route ${route.name} has the virtual host ${name} twice`,
    ),
  ]
}

export function inconsistencies(snapshot: Snapshot): readonly string[] {
  const lists = kinds.map((kind) => ({ kind, resources: snapshot.resources.get(typeUrlOf(kind)) ?? [] }))
  const known = new Set(snapshot.staticClusters.map((name) => `cluster ${name}`))
  for (const { kind, resources } of lists) for (const { name } of resources) known.add(`${kind.name} ${name}`)
  return lists.flatMap(({ kind, resources }) => [
    ...duplicates(resources.map(({ name }) => name)).map((name) => `${kind.name} ${name} is there twice`),
    ...(kind.name === 'route' ? resources.flatMap(domainProblems) : []),
    ...resources.flatMap((resource) =>
      resource.references
        .filter((reference) => !known.has(`${reference.kind} ${reference.name}`))
        .map(
          (missing) =>
            `${kind.name} ${resource.name} names ${missing.kind} ${missing.name}, which does not exist`,
        ),
    ),
  ])
}

/** Throws InconsistentSnapshot with every problem found. */
export function assertConsistent(snapshot: Snapshot): void {
  const problems = inconsistencies(snapshot)
  if (problems.length > 0) throw new InconsistentSnapshot(problems)
}
