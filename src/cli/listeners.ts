// Where Envoys of this installation listen: the load balancers of the configuration, two of which a setting or an option
// can put somewhere else, because a port is often a matter of the machine.
import type { Policy } from '#config'
import type { ListenerSettings, PlainListener } from '#envoy'
import { type SettingName, type Settings, type SocketPlace, formatPlace } from '#platform'
import { type Ways, chooseAnother } from './ports.ts'

const plainId = 'http'
const tlsId = 'https'

/** By the operator, or by the command that runs. */
const isSet = ({ given, inherited }: Settings, name: SettingName): boolean =>
  given.has(name) || inherited[name] !== undefined

function plainListener({ values }: Settings): PlainListener {
  const { host: address, port } = values['envoy.listen']
  const publicPort = values['envoy.public'] === 0 ? port : values['envoy.public']
  return { id: plainId, protocol: 'http', address, port, publicPort }
}

function moved(listener: ListenerSettings, { values }: Settings): ListenerSettings {
  const place = values['envoy.listen_tls']
  if (place === undefined || listener.id !== tlsId || listener.protocol !== 'https') return listener
  const publicPort = values['envoy.public_tls'] === 0 ? place.port : values['envoy.public_tls']
  return { ...listener, address: place.host, port: place.port, publicPort }
}

/**
 * The load balancers of the configuration. `http` stands where the setting envoy.listen says, if it is set or the
 * configuration speaks of none; `https` where envoy.listen_tls says, if it is set.
 */
export function listenersOf(policy: Policy, settings: Settings): readonly ListenerSettings[] {
  const { loadBalancers } = policy
  if (loadBalancers === undefined) return [plainListener(settings)]
  const own = loadBalancers.map((one) => moved(one, settings))
  if (!isSet(settings, 'envoy.listen')) return own
  return [plainListener(settings), ...own.filter(({ id }) => id !== plainId)]
}

export const placeOf = ({ address, port }: ListenerSettings): SocketPlace => ({ host: address, port })

/** The setting that puts a listener somewhere else; undefined: only its document does. */
function settingOf({ id }: ListenerSettings): SettingName | undefined {
  if (id === plainId) return 'envoy.listen'
  return id === tlsId ? 'envoy.listen_tls' : undefined
}

/** What to do about a listener whose port is taken. The document decides nothing that a setting or an option has decided. */
export function remedyOf(listener: ListenerSettings, settings: Settings, ways: Ways): string {
  const setting = settingOf(listener)
  const inDocument = `change listener_port of ${listener.id} in load-balancers.json`
  if (setting === undefined) return inDocument
  const another = chooseAnother(setting, ways)
  return isSet(settings, setting) ? another : `${another}, or ${inDocument}`
}

/** Requests over TLS are taken where those without are: at the address of envoy.listen, unless that is set apart. */
export function withTlsBeside(settings: Settings, policy: Policy): Settings {
  const tls = policy.loadBalancers?.find(({ id, protocol }) => id === tlsId && protocol === 'https')
  if (tls === undefined || isSet(settings, 'envoy.listen_tls')) return settings
  const place: SocketPlace = { host: settings.values['envoy.listen'].host, port: tls.port }
  return {
    ...settings,
    values: { ...settings.values, 'envoy.listen_tls': place },
    inherited: { ...settings.inherited, 'envoy.listen_tls': formatPlace(place) },
  }
}

/** The listener that the readiness probe can reach: without PROXY protocol, over TLS only with a certificate to show. */
export function probeListener(listeners: readonly ListenerSettings[]): ListenerSettings | undefined {
  const open = listeners.filter(({ proxyProtocolFrom }) => proxyProtocolFrom === undefined)
  return (
    open.find(({ protocol }) => protocol === 'http') ??
    open.find((one) => one.protocol === 'https' && one.defaultCertificate !== undefined)
  )
}
