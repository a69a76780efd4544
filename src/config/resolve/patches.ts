// Patches of templates that name something no site of the template has: they change nothing, which nobody writes them for.
import type { ProxyTemplateEntry } from '../documents/proxy-templates.ts'
import { finding, suggestion } from '../findings.ts'
import type { AdvancedPatch, LoadBalancer, ServerGroup } from '../policy.ts'
import type { Document } from '../read/read-entries.ts'

/** The listener that is there whatever the documents say, wherever a setting puts it. */
const plainListener = 'http'

type Named = { readonly what: string; readonly id: string; readonly known: readonly string[] }

/** What the match names, and what it could name. */
function namedIn(
  { listener, entry, service }: AdvancedPatch,
  groups: readonly ServerGroup[],
  listeners: readonly string[],
): Named | undefined {
  if (listener !== undefined) return { what: 'the load balancer', id: listener, known: listeners }
  const entries = groups.flatMap(({ policy }) => policy.entries)
  if (entry !== undefined) return { what: 'the map entry', id: entry, known: entries.map(({ id }) => id) }
  if (service === undefined) return undefined
  return {
    what: 'the backend service',
    id: service,
    known: entries.flatMap(({ backend }) => backend?.id ?? []),
  }
}

/** @param groups all that could be resolved */
export function checkPatches(
  templates: Document<ProxyTemplateEntry>,
  groups: readonly ServerGroup[],
  balancers: readonly LoadBalancer[] | undefined,
): void {
  const listeners = [plainListener, ...(balancers ?? []).map(({ id }) => id)]
  for (const { id: template, advanced } of templates.entries.values()) {
    const own = groups.filter((group) => group.template.id === template)
    if (own.length === 0) continue
    for (const patch of advanced) {
      const named = namedIn(patch, own, listeners)
      if (named === undefined || named.known.includes(named.id)) continue
      const which = patch.position === 0 ? '' : `patch ${String(patch.position)}: `
      templates
        .reportOn(template)
        .warning(
          patch.field,
          finding(
            `${which}no site with this template has ${named.what} "${named.id}", so the patch changes nothing`,
            `${suggestion(named.id, named.known)}Correct the match, or remove the patch.`,
          ),
        )
    }
  }
}
