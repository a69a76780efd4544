// Who may speak to the control plane in plain text: programs on its own machine, and those whose mesh encrypts. Everybody
// else needs TLS, because keys of certificates travel there (spec control-plane 2.11). All that the settings xds.tls and
// xds.insecure can have wrong is told before anything starts: a stream that is refused later only says that it was.
import { X509Certificate, createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type TlsPair, clientCredentials, isThisMachine, serverCredentials } from '#envoy'
import { type SettingName, type Settings, type SocketPlace, formatPlace, whyUnreadable } from '#platform'
import { UsageError } from './command.ts'
import { reachable } from './readiness.ts'

type Values = Settings['values']
type FileSetting = Extract<SettingName, `xds.tls.${string}`>

const orInsecure = 'or set xds.insecure to true where a mesh encrypts'

const isLocal = ({ host }: SocketPlace): boolean => host === 'localhost' || isThisMachine(host)

/** The file of a setting, checked by `parse`; undefined: the setting is not given. */
function readPem<T>(values: Values, name: FileSetting, parse: (pem: Buffer) => T) {
  const file = values[name]
  if (file === undefined) return undefined
  try {
    const pem = readFileSync(file)
    return { pem, parsed: parse(pem) }
  } catch (error) {
    throw new UsageError(`${name}: ${file} cannot be used: ${whyUnreadable(error)}; name a readable PEM file`)
  }
}

const readCertificate = (values: Values, name: Exclude<FileSetting, 'xds.tls.key'>) =>
  readPem(values, name, (pem) => new X509Certificate(pem))

/** What this process shows; undefined: it has nothing to show. */
function readPair(values: Values): TlsPair | undefined {
  const cert = readCertificate(values, 'xds.tls.cert')
  const key = readPem(values, 'xds.tls.key', createPrivateKey)
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined)
    throw new UsageError('xds.tls.cert and xds.tls.key: there is only one of them; give both or neither')
  if (!cert.parsed.checkPrivateKey(key.parsed))
    throw new UsageError(
      'xds.tls.key: is not the key of the certificate in xds.tls.cert; name the two that were made together',
    )
  return { cert: cert.pem, key: key.pem }
}

/** Of the control plane; undefined: plain text. Throws UsageError with the remedy. */
export function controlCredentials({ values }: Settings) {
  const place = values['xds.listen']
  const pair = readPair(values)
  const clientCa = readCertificate(values, 'xds.tls.client_ca')
  if (pair !== undefined) return serverCredentials(pair, clientCa?.pem)
  if (clientCa !== undefined)
    throw new UsageError(
      'xds.tls.client_ca: certificates of clients need TLS; give xds.tls.cert and xds.tls.key as well',
    )
  if (values['xds.insecure'] || isLocal(place)) return undefined
  throw new UsageError(
    `xds.listen: keys of certificates would leave this machine in plain text on ${formatPlace(place)}; ` +
      `give xds.tls.cert and xds.tls.key, listen on 127.0.0.1, ${orInsecure}`,
  )
}

/** Of a filter that dials `control`; undefined: plain text. Throws UsageError with the remedy. */
export function nodeCredentials({ values }: Settings, control: SocketPlace) {
  const ca = readCertificate(values, 'xds.tls.ca')
  const pair = readPair(values)
  if (ca !== undefined) return clientCredentials(ca.pem, pair)
  if (pair !== undefined)
    throw new UsageError(
      "xds.tls.ca: missing beside xds.tls.cert; name the CA that the control plane's certificate is checked against",
    )
  if (values['xds.insecure'] || isLocal(control)) return undefined
  throw new UsageError(
    `xds.control: the token and the policy would travel in plain text to ${formatPlace(control)}; ` +
      `name the CA of the control plane's certificate with xds.tls.ca, ${orInsecure}`,
  )
}

/** Where nodes on the machine of the control plane reach it. */
export const controlHere = ({ values }: Settings): SocketPlace => ({
  ...values['xds.listen'],
  host: reachable(values['xds.listen'].host),
})
