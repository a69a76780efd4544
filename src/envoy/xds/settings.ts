// What the generator needs beside the documents: where Envoy listens and where its partners are.
import type { LoadBalancer, Revocations } from '#config'
import type { PatchLimits } from './patches/apply.ts'

type Place = {
  /** Id of the load balancer: name of the listener and value of `weir.lb`. */
  readonly id: string
  readonly address: string
  /** 0: the kernel chooses. */
  readonly port: number
  /** The port that clients used, when something in front of Envoy maps it. */
  readonly publicPort: number
  /** Who may speak the PROXY protocol; left out: nobody does. */
  readonly proxyProtocolFrom?: readonly string[] | undefined
}

export type PlainListener = Place & { readonly protocol: 'http' }
export type TlsListener = Place &
  Pick<Extract<LoadBalancer, { protocol: 'https' }>, 'protocol' | 'defaultCertificate' | 'certificates'>
export type ListenerSettings = PlainListener | TlsListener

/** One filter process. Each has its own, because an Envoy worker keeps one connection per endpoint. */
export type FilterEndpoint =
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

export type XdsSettings = {
  readonly listeners: readonly ListenerSettings[]
  readonly filters: readonly FilterEndpoint[]
  /** Static cluster of the bootstrap that takes the access log. */
  readonly controlCluster: string
  /** What the control plane wants to see as `authorization: Bearer …`; left out: nothing. */
  readonly controlToken?: string | undefined
  /** Milliseconds that Envoy waits for the filter's answer. */
  readonly filterTimeoutMs: number
  /** What is known of revoked CAs of clients; left out: nothing. */
  readonly revocations?: Revocations
  /** What patches of templates may do; left out: what the rule allows. */
  readonly patches?: PatchLimits
}

export const defaultXdsSettings: XdsSettings = {
  listeners: [{ id: 'http', protocol: 'http', address: '0.0.0.0', port: 8080, publicPort: 80 }],
  filters: [{ kind: 'tcp', address: '127.0.0.1', port: 9191 }],
  controlCluster: 'weir_control',
  filterTimeoutMs: 1000,
}
