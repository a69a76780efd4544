// What the xDS generator needs to know of this installation: where Envoys listen and where their filters are.
import type { Policy } from '#config'
import type { FilterEndpoint, ListenerSettings, PlainListener, XdsSettings } from '#envoy'
import type { SettingValues, Settings } from '#platform'

const endpoint = ({ host, port }: SettingValues['envoy.listen']): FilterEndpoint => ({
  kind: 'tcp',
  address: host,
  port,
})

/**
 * The load balancers of the configuration. `http` stands where the setting envoy.listen says, if it is given or the
 * configuration speaks of none.
 */
function listenersOf(policy: Policy, { values, given }: Settings): readonly ListenerSettings[] {
  const { host: address, port } = values['envoy.listen']
  const publicPort = values['envoy.public'] === 0 ? port : values['envoy.public']
  const plain: PlainListener = { id: 'http', protocol: 'http', address, port, publicPort }
  const { loadBalancers } = policy
  if (loadBalancers === undefined) return [plain]
  if (!given.has('envoy.listen')) return loadBalancers
  return [plain, ...loadBalancers.filter(({ id }) => id !== plain.id)]
}

export function xdsSettings(policy: Policy, settings: Settings): XdsSettings {
  const { values } = settings
  return {
    listeners: listenersOf(policy, settings),
    filters: values['xds.filters'].map(endpoint),
    controlCluster: 'weir_control',
    controlToken: values['xds.token'],
    filterTimeoutMs: values['envoy.filter_timeout'],
  }
}
