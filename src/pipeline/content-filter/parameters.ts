// The parameters of a request in the order in which the content filter examines them (spec pipeline 4.9, step 4).
import type { SectionName } from '#config'
import type { Parameter, Parameters, RequestView } from '#request'

export type Examined = { readonly section: SectionName; readonly parameter: Parameter }

/** Plugins are limited and restricted like the others, but no rule runs on them. */
export const sectionOrder: readonly SectionName[] = ['headers', 'cookies', 'args', 'path', 'plugins']

export function sectionOf(request: RequestView, section: SectionName): Parameters {
  return section === 'path' ? request.uri.parts : request[section]
}

/** Body arguments and RAW_BODY are left out where the profile does not read bodies. */
export function* parametersOf(request: RequestView, ignoreBody: boolean): Generator<Examined> {
  for (const section of sectionOrder) {
    for (const parameter of sectionOf(request, section).values()) {
      if (ignoreBody && section === 'args' && parameter.place === 'body') continue
      yield { section, parameter }
    }
    const { raw } = request.body
    if (section === 'args' && raw !== undefined && !ignoreBody && !request.args.has(raw.name))
      yield { section, parameter: raw }
  }
}
