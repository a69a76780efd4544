// What the xDS generator needs to know of this installation: where Envoys listen and where their filters are.
import type { Policy } from '#config'
import type { FilterEndpoint, XdsSettings } from '#envoy'
import type { SettingValues, Settings } from '#platform'
import { listenersOf } from './listeners.ts'

const endpoint = ({ host, port }: SettingValues['envoy.listen']): FilterEndpoint => ({
  kind: 'tcp',
  address: host,
  port,
})

export function xdsSettings(policy: Policy, settings: Settings): XdsSettings {
  const { values } = settings
  return {
    listeners: listenersOf(policy, settings),
    filters: values['xds.filters'].map(endpoint),
    controlCluster: 'weir_control',
    controlToken: values['xds.token'],
    filterTimeoutMs: values['envoy.filter_timeout'],
    patches: { unsafe: values['envoy.advanced.unsafe'], allow: values['envoy.advanced.allow'] },
  }
}
