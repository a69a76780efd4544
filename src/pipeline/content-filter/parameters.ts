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
  if (ignoreBody) return parameters.values().flatMap(besideBody)
  const { raw } = request.body
  // A client may have an argument of that name as well: only the body itself stands for the body.
  return raw === undefined || parameters.get(raw.name)?.values.includes(raw.value) === true
    ? parameters.values()
    : [...parameters.values(), raw]
}

const none: readonly Parameter[] = []

/** What is left of an argument without the values that came in the body. */
function besideBody(parameter: Parameter): readonly Parameter[] {
  const { place, besideBody: values } = parameter
  if (values === undefined) return place === 'body' ? none : [parameter]
  // Behind the body only the Referer adds values (spec pipeline 1.7).
  const from = place === 'body' ? 'referer' : place
  return [{ ...parameter, place: from, values, value: values.join(' ') }]
}
