// What to do when an Envoy refuses what it was sent. Envoy's own words name a part of the resource ("missing ): (") and nothing that an
// operator wrote. What Weir makes of documents by itself Envoy takes, so patches of templates are where to look.
import type { Policy } from '#config'

/** Templates that are named; of more only the number. */
const mostNamed = 5

function patchedTemplates({ serverGroups, defaultTemplate }: Policy): readonly string[] {
  const templates = [...serverGroups.map(({ template }) => template), defaultTemplate]
  return [...new Set(templates.filter(({ advanced }) => advanced.length > 0).map(({ id }) => id))]
}

function list(ids: readonly string[]): string {
  const named = ids.slice(0, mostNamed).map((id) => JSON.stringify(id))
  const more = ids.length - named.length
  return `${named.join(', ')}${more === 0 ? '' : ` and ${String(more)} more`}`
}

const report = 'this is a defect of Weir: please report it with what Envoy says'

/** @param policy what the Envoy was sent is made of it; undefined: of one from before this start. */
export function envoyRemedy(policy: Policy | undefined): string {
  const where = 'proxy-templates.json, field advanced_configuration'
  if (policy === undefined)
    return `If a template patches what Envoy refuses (${where}), correct the patch; otherwise ${report}.`
  const ids = patchedTemplates(policy)
  if (ids.length === 0) return `No template patches what Envoy gets, so ${report}.`
  const entries = `${ids.length === 1 ? 'entry' : 'entries'} ${list(ids)}`
  return `Envoy refused what patches made of it: correct those of ${where}, ${entries}; weir validate --envoy tries them. If it is refused without them, ${report}.`
}
