// Fills in envoy/bootstrap.yaml. The same file serves the documentation, the tests and `weir serve`, so there is
// one bootstrap and not three that drift apart.
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'

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
  /** PEM file of the CA that the control plane's certificate, which has to name CONTROL_HOST, is checked against. Not given: plain text. */
  readonly CONTROL_CA?: string | undefined
  /** PEM files of what Envoy shows where the control plane asks for it. */
  readonly CONTROL_CERT?: string | undefined
  readonly CONTROL_KEY?: string | undefined
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
  const { CONTROL_CA, CONTROL_CERT, CONTROL_HOST = '127.0.0.1' } = values
  const given = new Map<string, string | number | undefined>(Object.entries(values))
  given.set('CONTROL_NAME', isIP(CONTROL_HOST) === 0 ? 'DNS' : 'IP_ADDRESS')
  const marks = [
    ...(CONTROL_CA === undefined ? [] : ['#tls ']),
    ...(CONTROL_CA === undefined || CONTROL_CERT === undefined ? [] : ['#mtls ']),
  ]
  const chosen = marks.reduce((text, mark) => text.replaceAll(mark, ''), template)
  const body = chosen.replace(/^ *#.*\n/gm, '')
  return body.replace(placeholder, (_, name: string, otherwise: string) =>
    plain(name, given.get(name) ?? otherwise),
  )
}
