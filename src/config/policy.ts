// The Policy: every document of one configuration, checked, with references resolved to what they name.
// Built once when a configuration is loaded or published, then only read. Stages compile themselves from it.

declare const tagBrand: unique symbol
/** A tag after the name rule of spec pipeline 2: lower-case, everything but `a-z 0-9 :` replaced by `-`. */
export type Tag = string & { readonly [tagBrand]: 'Tag' }

export type Identity = { readonly id: string; readonly name: string }

export type Action = Identity & {
  readonly tags: readonly Tag[]
} & (
    | { readonly type: 'skip' }
    | { readonly type: 'monitor'; readonly headers: readonly Header[] }
    | {
        readonly type: 'block'
        readonly status: number
        readonly headers: readonly Header[]
        /** Undefined: the default block page. */
        readonly content: string | undefined
      }
    | {
        readonly type: 'challenge' | 'interactive_challenge'
        readonly status: number
        readonly apiStatus: number | undefined
        readonly headers: readonly Header[]
      }
  )
export type ActionType = Action['type']
export type Header = readonly [name: string, template: string]

export type Attribute =
  | 'ip'
  | 'network'
  | 'asn'
  | 'organization'
  | 'country'
  | 'region'
  | 'subregion'
  | 'method'
  | 'authority'
  | 'path'
  | 'query'
  | 'uri'
  | 'tags'
  | 'session'
  | 'securitypolicyid'
  | 'securitypolicyentryid'

/** Names one value of a request (spec pipeline 3.4). Header names are lower-case. */
export type Selector =
  | { readonly in: 'headers' | 'cookies' | 'args' | 'plugins'; readonly name: string }
  | { readonly in: 'attrs'; readonly attribute: Attribute }

/** Condition of a global filter (spec pipeline 4.3). `inverse`: also true when the datum is absent. */
export type Condition =
  | {
      readonly match: 'parameter'
      readonly section: 'args' | 'cookies' | 'headers' | 'plugins'
      readonly name: string
      readonly pattern: string
      readonly inverse: boolean
    }
  | {
      readonly match: 'text'
      readonly field:
        'organization' | 'region' | 'subregion' | 'method' | 'authority' | 'path' | 'query' | 'uri'
      readonly pattern: string
      readonly inverse: boolean
    }
  | { readonly match: 'ip'; readonly cidr: string; readonly inverse: boolean }
  | { readonly match: 'asn'; readonly asn: number; readonly inverse: boolean }
  /** English name or ISO code, after the tag name rule. */
  | { readonly match: 'country'; readonly country: Tag; readonly inverse: boolean }
  | { readonly match: 'tag'; readonly tag: Tag; readonly inverse: boolean }
  | { readonly match: 'policy' | 'entry'; readonly value: string; readonly inverse: boolean }

/** A section without entries matches nothing. */
export type Rule = { readonly relation: 'AND' | 'OR'; readonly entries: readonly (Rule | Condition)[] }

export type GlobalFilter = Identity & {
  readonly tags: readonly Tag[]
  readonly action: Action | undefined
  readonly rule: Rule
}

/** Tags that switch a rule on or off; an empty list never matches. */
export type TagScope = { readonly relation: 'OR' | 'AND'; readonly tags: readonly Tag[] }

export type FlowStep = {
  readonly method: string
  readonly uri: string
  /** Lower-case, with port if one was given; undefined: any. */
  readonly host: string | undefined
  readonly conditions: readonly {
    readonly section: 'args' | 'cookies' | 'headers' | 'plugins'
    readonly name: string
    readonly pattern: string
  }[]
}

export type FlowPolicy = Identity & {
  readonly tags: readonly Tag[]
  readonly timeframeMs: number
  readonly key: readonly Selector[]
  readonly steps: readonly FlowStep[]
  readonly include: readonly Tag[]
  readonly exclude: readonly Tag[]
}

export type RateLimitRule = Identity & {
  readonly tags: readonly Tag[]
  readonly global: boolean
  readonly timeframeMs: number
  readonly key: readonly Selector[]
  /** Undefined: each request is an event. */
  readonly event: Selector | undefined
  /** Ascending by limit, those of too low a rank already dropped. At least one. */
  readonly thresholds: readonly { readonly limit: number; readonly action: Action }[]
  readonly include: TagScope
  readonly exclude: TagScope
  readonly banMs: number | undefined
  /** Ids of the security policies with an entry that names the rule. */
  readonly connectedTo: ReadonlySet<string>
}

export type AclProfile = Identity & {
  readonly tags: readonly Tag[]
  readonly action: Action
  readonly forceDeny: readonly Tag[]
  readonly passthrough: readonly Tag[]
  readonly allowBot: readonly Tag[]
  readonly denyBot: readonly Tag[]
  readonly allow: readonly Tag[]
  readonly deny: readonly Tag[]
}

export type ContentFilterRule = Identity & {
  readonly operand: string
  readonly risk: 1 | 2 | 3 | 4 | 5
  readonly category: string
  readonly subcategory: string
  readonly message: string
  /** The document's own tags; the `cf-rule-…` ones follow from the fields above. */
  readonly tags: readonly Tag[]
}

export type SectionName = 'headers' | 'cookies' | 'args' | 'path' | 'plugins'

export type SectionEntry = {
  /** A name, or in `regex` a pattern. */
  readonly key: string
  /** Matching Value; empty: everything matches. May begin with `!`. */
  readonly matchingValue: string
  readonly restrict: boolean
  readonly mask: boolean
  readonly ignoreRuleTags: readonly Tag[]
}

export type Section = {
  /** Undefined: not limited. */
  readonly maxCount: number | undefined
  readonly maxLength: number | undefined
  readonly names: readonly SectionEntry[]
  readonly regex: readonly SectionEntry[]
}

export type ContentFilterProfile = Identity & {
  readonly tags: readonly Tag[]
  readonly action: Action
  readonly active: readonly Tag[]
  readonly report: readonly Tag[]
  readonly ignore: readonly Tag[]
  readonly ignoreAlphanum: boolean
  readonly ignoreBody: boolean
  readonly contentTypes: readonly ('json' | 'xml' | 'url_encoded' | 'multipart_form' | 'graphql')[]
  readonly decoding: {
    readonly base64: boolean
    readonly dual: boolean
    readonly html: boolean
    readonly unicode: boolean
  }
  readonly graphqlPath: string
  readonly maskingSeed: string
  readonly sections: Readonly<Record<SectionName | 'allsections', Section>>
  readonly maxBodyDepth: number
  readonly maxBodySize: number | undefined
  readonly refererAsUri: boolean
}

export type Certificate = Identity & {
  /** Shown to clients, checking clients, shown to origins, checking origins. */
  readonly side: 'server' | 'clientCA' | 'serverToBackendMTLS' | 'backendCA'
  /** PEM, leaf first. */
  readonly chain: string
  /** PKCS#8 PEM; undefined for CAs, and in processes that have no use for keys. */
  readonly key: string | undefined
  /** Host names and addresses of the leaf, lower-case. */
  readonly names: readonly string[]
  /** End of the leaf's validity, milliseconds since 1970. */
  readonly expires: number
  /** URLs of the revocation lists of a CA. */
  readonly crl: readonly string[]
}

export type TlsVersion = 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'

export type TlsSettings = {
  readonly least: TlsVersion
  readonly most: TlsVersion
  /** OpenSSL names for TLS up to 1.2; empty: Weir's own list. */
  readonly ciphers: readonly string[]
}

/** Where Envoys listen (spec control-plane 1.5). */
export type LoadBalancer = Identity & {
  readonly address: string
  readonly port: number
  /** The port that clients use, when something in front maps it. */
  readonly publicPort: number
  /** Who may speak the PROXY protocol; undefined: nobody does. */
  readonly proxyProtocolFrom: readonly string[] | undefined
  /** Labels that an Envoy must have to get this listener; none: every Envoy has it. */
  readonly nodes: Readonly<Record<string, string>>
  /** Where Envoys run → the datacenter whose filters they prefer, or `automatic`; left out: automatic. */
  readonly regions: Readonly<Record<string, string>>
} & (
    | { readonly protocol: 'http' }
    | {
        readonly protocol: 'https'
        /** For clients that name no host, or one that no certificate fits. */
        readonly defaultCertificate: Certificate | undefined
        readonly certificates: readonly Certificate[]
      }
  )

export type BackHost = {
  readonly host: string
  readonly httpPorts: readonly number[]
  readonly httpsPorts: readonly number[]
  readonly weight: number
  readonly maxFails: number
  readonly failTimeoutS: number
  readonly backup: boolean
  readonly down: boolean
}

export type BackendService = Identity & {
  readonly http11: boolean
  readonly http2: boolean
  readonly transportMode: 'default' | 'http' | 'https' | 'port_bridge'
  readonly sticky: 'none' | 'autocookie' | 'customcookie' | 'iphash' | 'least_conn'
  readonly stickyCookieName: string
  /** autocookie: the cookie names the host itself, so a request meets it whatever happens to the others. */
  readonly stickyStrict: boolean
  /** Shown to the origin. */
  readonly clientCertificate: Certificate | undefined
  /** What the origin's certificate is checked against; undefined: it is not checked. */
  readonly trustedCa: Certificate | undefined
  readonly hosts: readonly BackHost[]
}

export type Json =
  string | number | boolean | null | readonly Json[] | { readonly [field: string]: Json | undefined }

/** The resources of Envoy that an operator may patch (spec control-plane 2.13). */
export type PatchTarget =
  | 'http_connection_manager'
  | 'filter_chain'
  | 'downstream_tls'
  | 'virtual_host'
  | 'route'
  | 'cluster'
  | 'upstream_tls'

/** An operation of RFC 6902. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string }

/** A change of the proto3 JSON of generated resources. Its text was read; what it does is checked where it is applied. */
export type AdvancedPatch = {
  /** Of the element that it stands in. */
  readonly name: string
  /** Where it stands in the template, `advanced_configuration[0]`. */
  readonly field: string
  /** Counted from 1 among the patches there; 0: it is the only one. */
  readonly position: number
  readonly target: PatchTarget
  /** Of the listeners whose resources are changed. */
  readonly protocols: readonly ('http' | 'https')[]
  /** Ids that the resource must belong to; undefined: any. */
  readonly listener: string | undefined
  readonly entry: string | undefined
  readonly service: string | undefined
  /** A merge patch (RFC 7396), or a JSON patch (RFC 6902). */
  readonly change:
    | { readonly kind: 'merge'; readonly merge: Json }
    | { readonly kind: 'patch'; readonly operations: readonly PatchOperation[] }
}

/** Units are in the names; 0 where the field may be switched off means off (spec control-plane 1.4). */
export type ProxyTemplate = Identity & {
  readonly clientAddressHeaders: readonly string[]
  readonly realIpHeader: string
  readonly trustedSources: readonly string[]
  readonly clientMaxBodyBytes: number
  readonly clientBodyBufferBytes: number
  readonly ipRatePerSecond: number
  readonly ipRateBurst: number
  readonly clientBodyTimeoutS: number
  readonly clientHeaderTimeoutS: number
  readonly keepaliveTimeoutS: number
  readonly sendTimeoutS: number
  readonly requestTimeoutS: number
  readonly connectTimeoutS: number
  readonly proxySendTimeoutS: number
  readonly proxyReadTimeoutS: number
  readonly maxRequestHeadersKb: number
  readonly upstreamHost: string
  readonly maskHeaders: readonly string[]
  readonly acaoHeader: boolean
  readonly failureMode: 'closed' | 'open'
  readonly escapedSlashes: 'redirect' | 'forward' | 'keep' | 'reject'
  readonly mergeSlashes: boolean
  readonly bodyOverflow: 'auto' | 'reject' | 'partial'
  readonly unsizedBody: 'stream' | 'limit' | 'length_required'
  readonly websocket: boolean
  readonly tls: TlsSettings
  /** Applied in this order. */
  readonly advanced: readonly AdvancedPatch[]
}

export type MapEntry = Identity & {
  /** `site-level` is never selected; its rules are added to the selected entry's. */
  readonly role: 'root' | 'path' | 'default' | 'site-level'
  readonly match: string
  readonly acl: AclProfile
  readonly aclActive: boolean
  readonly contentFilter: ContentFilterProfile
  readonly contentFilterActive: boolean
  readonly rateLimitRules: readonly RateLimitRule[]
  /** Undefined only on the site-level entry. */
  readonly backend: BackendService | undefined
  readonly grpc: boolean
}

export type SecurityPolicy = Identity & {
  readonly tags: readonly Tag[]
  readonly session: readonly Selector[]
  readonly sessionIds: readonly Selector[]
  readonly entries: readonly MapEntry[]
}

/** A server name, told apart as spec control-plane 1.1 says. `host` is lower-case; `suffix` begins with a dot. */
export type ServerName =
  | { readonly kind: 'literal'; readonly host: string }
  | { readonly kind: 'wildcard'; readonly suffix: string }
  | { readonly kind: 'regex'; readonly pattern: string }
  | { readonly kind: 'everything' }

export type ServerGroup = Identity & {
  /** Envoy redirects plaintext requests to https with this status (spec control-plane 2.9). */
  readonly httpRedirect: 'off' | 301 | 302 | 307 | 308
  readonly serverNames: readonly ServerName[]
  readonly policy: SecurityPolicy
  readonly template: ProxyTemplate
  readonly certificate: Certificate | undefined
  /** Whether clients show a certificate, and what it is checked against. */
  readonly clientCertificate:
    | { readonly mode: 'off' }
    | {
        readonly mode: 'on' | 'optional'
        readonly ca: Certificate
        /** URLs of revocation lists; undefined: they are not asked for. */
        readonly crl: readonly string[] | undefined
      }
  /** The group's own where it has some, else the template's. */
  readonly tls: TlsSettings
  /** TLS is not terminated (spec control-plane 2.10). */
  readonly tcpPassthrough: boolean
}

export type Policy = {
  /** Identifies the content: equal documents, equal revision. */
  readonly revision: string
  readonly branch: string
  readonly actions: ReadonlyMap<string, Action>
  /** Active ones only, in document order. */
  readonly globalFilters: readonly GlobalFilter[]
  readonly flowPolicies: readonly FlowPolicy[]
  readonly rateLimitRules: readonly RateLimitRule[]
  readonly contentFilterRules: readonly ContentFilterRule[]
  readonly serverGroups: readonly ServerGroup[]
  readonly certificates: ReadonlyMap<string, Certificate>
  /** Those that Weir makes listeners of; undefined: the configuration does not speak of any. */
  readonly loadBalancers: readonly LoadBalancer[] | undefined
  /** Used while the host is unknown. */
  readonly defaultTemplate: ProxyTemplate
}
