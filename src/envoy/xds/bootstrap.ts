// Fills in envoy/bootstrap.yaml. The same file serves the documentation, the tests and `weir serve`, so there is
// one bootstrap and not three that drift apart.
import { readFileSync } from 'node:fs'

/** Names of the placeholders; each has a default in the file. */
export type BootstrapValues = {
  readonly NODE_ID?: string
  /** Where this Envoy runs (`locality.region`). */
  readonly REGION?: string
  readonly BUCKET?: string
  readonly ADMIN_HOST?: string
  readonly ADMIN_PORT?: number
  readonly STATS_HOST?: string
  readonly STATS_PORT?: number
  /** ADS and access log. */
  readonly CONTROL_HOST?: string
  readonly CONTROL_PORT?: number
  /** `xds.token` of the control plane. */
  readonly XDS_TOKEN?: string | undefined
  readonly MAX_CONNECTIONS?: number
  readonly MAX_HEAP_BYTES?: number
}

export const bootstrapTemplate = new URL('../../../envoy/bootstrap.yaml', import.meta.url)

const placeholder = /\$\{([A-Z_]+):-([^}]*)\}/g

/** Values stand inside double quotes or as numbers: anything that could end either is refused. */
function plain(name: string, value: string | number): string {
  const text = String(value)
  if (!/^[\w.:/@+~=-]*$/.test(text))
    throw new Error(`bootstrap value ${name} has a character that YAML could take for its own: ${text}`)
  return text
}

/** The bootstrap with the given values; what is not given has the default that the file names. */
export function renderBootstrap(
  values: BootstrapValues,
  template = readFileSync(bootstrapTemplate, 'utf8'),
): string {
  const given = new Map<string, string | number | undefined>(Object.entries(values))
  const body = template.replace(/^#.*\n/gm, '')
  return body.replace(placeholder, (_, name: string, otherwise: string) =>
    plain(name, given.get(name) ?? otherwise),
  )
}
