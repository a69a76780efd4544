// One finished request as Envoy's access log tells it: what the control plane completes an event from (spec traffic 1.2).

export type Endpoint = {
  /** IP address, or the path of a Unix socket. */
  readonly address: string
  /** 0: none. */
  readonly port: number
}

export type TlsSession = {
  /** `TLSv1`, `TLSv1.1`, `TLSv1.2`, `TLSv1.3`; empty if unknown. */
  readonly version: string
  /** IANA name, or `0x1a2b` for a suite that Weir does not know; empty if unknown. */
  readonly cipher: string
  readonly sni: string
}

/** Microseconds since the start of the request; undefined where Envoy never got that far. */
export type Durations = {
  /** Until the stream ended. */
  readonly duration: number | undefined
  readonly lastRequestByte: number | undefined
  readonly firstUpstreamRequestByte: number | undefined
  readonly lastUpstreamRequestByte: number | undefined
  readonly firstUpstreamResponseByte: number | undefined
  readonly lastUpstreamResponseByte: number | undefined
  readonly firstResponseByte: number | undefined
  readonly lastResponseByte: number | undefined
}

export type AccessLogEntry = {
  /** Id of the Envoy that served the request. */
  readonly node: string
  readonly logName: string
  /** Microseconds since the epoch, when Envoy began to serve the request. */
  readonly startTime: number
  /** The client as Envoy found it; Weir's own answer is in the record. */
  readonly client: Endpoint | undefined
  /** The TCP peer. */
  readonly peer: Endpoint | undefined
  /** Where the client's connection arrived. */
  readonly local: Endpoint | undefined
  readonly tls: TlsSession | undefined
  /** Empty for a method that Envoy has no number for: the record has it. */
  readonly method: string
  readonly scheme: string
  readonly authority: string
  readonly path: string
  readonly userAgent: string
  readonly referer: string
  readonly forwardedFor: string
  readonly requestId: string
  readonly requestHeaderBytes: number
  readonly requestBodyBytes: number
  /** `1.0`, `1.1`, `2`, `3`; undefined if unknown. */
  readonly protocolVersion: string | undefined
  /** 0: the client left before one was sent. */
  readonly responseCode: number
  readonly responseCodeDetails: string
  readonly responseHeaderBytes: number
  readonly responseBodyBytes: number
  /** Envoy's long names in snake_case, e.g. `upstream_connection_failure`. */
  readonly responseFlags: readonly string[]
  readonly durations: Durations
  /** Address of the last attempt. */
  readonly upstream: Endpoint | undefined
  readonly upstreamCluster: string
  readonly upstreamAttempts: number
  readonly upstreamFailure: string
  readonly terminationDetails: string
  readonly routeName: string
  /** The decision record that the filter gave Envoy, as JSON; undefined: the filter was not asked, or did not answer. */
  readonly record: string | undefined
  /** What phases after the response added (`weir_response`), as JSON. */
  readonly responseRecord: string | undefined
}

/** A connection that ended before there was a request: its handshake failed, or no chain of the listener takes it. */
export type ConnectionFailure = {
  readonly node: string
  /** Microseconds since the epoch, when the connection was accepted. */
  readonly startTime: number
  readonly peer: Endpoint | undefined
  readonly local: Endpoint | undefined
  /** The name that the client asked for, as far as it came to that. */
  readonly sni: string
  readonly kind: 'handshake' | 'no_chain'
  /** Envoy's own words. */
  readonly detail: string
}
