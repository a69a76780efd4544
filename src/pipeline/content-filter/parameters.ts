// The parameters of a request in the order in which the content filter examines them (spec pipeline 4.9, step 4).
import type { SectionName } from '#config'
import type { Parameter, Parameters, RequestView } from '#request'

/** Plugins are limited and restricted like the others, but no rule runs on them. */
export const sectionOrder: readonly SectionName[] = ['headers', 'cookies', 'args', 'path', 'plugins']

export function sectionOf(request: RequestView, section: SectionName): Parameters {
  return section === 'path' ? request.uri.parts : request[section]
}

/** A section's parameters. Body arguments and RAW_BODY are left out where the profile does not read bodies. */
export function examinedIn(
  request: RequestView,
  section: SectionName,
  ignoreBody: boolean,
): Iterable<Parameter> {
  const parameters = sectionOf(request, section)
  if (section !== 'args') return parameters.values()
  if (ignoreBody) return parameters.values().filter(({ place }) => place !== 'body')
  const { raw } = request.body
  return raw === undefined || parameters.has(raw.name) ? parameters.values() : [...parameters.values(), raw]
}
