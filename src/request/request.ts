// What a request is, to everything behind the doors (spec pipeline 1). A door (Envoy's ext_authz, `weir inspect`)
// hands over a RequestInput; from it `readHead` and `readRequest` build the view that stages read.

/**
 * Header bytes as they arrived. Strings are taken as UTF-8 text that is already valid. A string may be a slice of
 * the whole message: who keeps one for longer than the request keeps a copy.
 */
export type HeaderLine = readonly [name: string | Uint8Array, value: string | Uint8Array]

export type HumanLevel = 'none' | 'passive' | 'active' | 'interactive' | 'mobile'

export type BodyInput = {
  readonly bytes: Uint8Array
  /** The door says that more followed than it hands over. */
  readonly partial: boolean
}

/** What a door knows of the client's connection. */
export type Connection = {
  /** The port that it arrived at; 0: unknown. */
  readonly port: number
  /** `HTTP/1.1`, `HTTP/2`, … */
  readonly protocol: string
  readonly sni: string | undefined
  /** The client's leaf certificate as URL-encoded PEM, whether or not it was validated (spec control-plane 2.4). */
  readonly certificate: string | undefined
  /** Id of the load balancer whose listener it is (`weir.lb`). */
  readonly listener: string | undefined
  /** What the route says of client certificates (`weir.mtls`): `off`, `on`, `optional`, `none`, `failed`. */
  readonly clientCertificates: string | undefined
  /** How the client's TLS library introduced itself (spec control-plane 2.2); undefined where Envoy does not say. */
  readonly ja3: string | undefined
  readonly ja4: string | undefined
  /** Headers in which Envoy told the filter something; they are not among the request's and must not reach the origin. */
  readonly taken: readonly string[]
}

/** One request as a door received it. Nothing in it has been checked. */
export type RequestInput = {
  readonly method: string
  /** Of the connection: what `x-forwarded-proto` says is decided by `readRequest`. */
  readonly scheme: 'http' | 'https'
  /** `:authority` or Host, as sent; empty if none. */
  readonly authority: string
  /** Path and query, as the door received them. */
  readonly target: string
  /** What the client sent, in order, duplicates separate, without pseudo-headers and what the door added. */
  readonly headers: readonly HeaderLine[]
  /** Undefined: the body was not delivered, or there is none. */
  readonly body: BodyInput | undefined
  /** Address of the TCP peer. */
  readonly peer: string
  /** The client address where the caller knows it already (`inspect`'s `ip`). */
  readonly client: string | undefined
  /** Milliseconds since the epoch, when Envoy received the request. */
  readonly timestamp: number
  readonly requestId: string
  /** `inspect`'s `human`; undefined: let Weir find out. */
  readonly human: HumanLevel | undefined
  /** What Envoy's route says it matched: `weir.sg` and `weir.entry`; undefined where no route speaks. */
  readonly hints: { readonly group: string | undefined; readonly entry: string | undefined }
  /** Values that other Envoy filters verified, e.g. `jwt.sub` (spec pipeline 3.4). */
  readonly plugins: ReadonlyMap<string, string>
  /** Undefined where there is none (`inspect`). */
  readonly connection?: Connection
}

/** Where a value was found, in the words of triggers (spec pipeline 6.2). */
export type Place =
  | 'headers'
  | 'cookies'
  | 'arguments'
  | 'path'
  | 'query'
  | 'uri'
  | 'body'
  | 'referer'
  | 'plugins'
  | 'attributes'
  | ''

/** One header, cookie, argument, path part or plugin value. Names that occur again add to `values`. */
export type Parameter = {
  readonly name: string
  /** All values joined: `, ` for headers, one space else. */
  readonly value: string
  /** The single values in order of appearance; at least one. */
  readonly values: readonly string[]
  /** Where the name stands in the body and elsewhere: the values that are not from the body. */
  readonly besideBody?: readonly string[] | undefined
  readonly place: Place
  /** File contents and opaque bodies: no Max length (spec pipeline 1.8). */
  readonly lengthExempt: boolean
}

export type Parameters = ReadonlyMap<string, Parameter>

export type Uri = {
  readonly rawPath: string
  /** From the first `?` on, with it; undefined if there is none. */
  readonly query: string | undefined
  /** Decoded once, dot segments resolved, slashes merged: what every path expression is matched against. */
  readonly path: string
  /** `path` and the query decoded once with `+` as space. */
  readonly uri: string
  readonly rawUri: string
  /** `path` → the raw path; `part1`, … → the decoded segments. */
  readonly parts: Parameters
}

export type BodyKind = 'json' | 'xml' | 'url_encoded' | 'multipart_form' | 'graphql'

/** What became of the body (spec pipeline 1.8); its values are in the arguments. */
export type BodyReport = {
  /** No body, or one that nothing reads. */
  readonly present: boolean
  /** The declared media type without parameters, lower-case; undefined: no content-type header. */
  readonly mediaType: string | undefined
  /** The kind that the media type names; undefined: another one or none. */
  readonly declared: BodyKind | undefined
  /** `malformed JSON body at byte 17`: kind and place, never the input. */
  readonly malformed: string | undefined
  readonly partial: boolean
  readonly binary: boolean
  /** A bound of spec pipeline 1.10 was met. */
  readonly tooDeep: { readonly actual: number; readonly limit: number } | undefined
  readonly tooLarge:
    { readonly what: 'arguments' | 'body'; readonly actual: number; readonly limit: number } | undefined
  /**
   * What is examined as RAW_BODY: the whole body as text where it is `malformed` or opaque; else the text in it that is no
   * value (comments, a preamble), if any. Never counted or shown among arguments unless opaque.
   */
  readonly raw: Parameter | undefined
  readonly size: number
}

/** What a database may say of the kind of address, in the words of the tags `geo-…` (spec pipeline 2). */
export type LocationFlag = 'anon' | 'sat' | 'vpn' | 'tor' | 'relay' | 'hosting' | 'mobile'

/** Everything about the client's place that the databases know (spec pipeline 1.4). */
export type Location = {
  readonly continentName: string | undefined
  readonly continentCode: string | undefined
  readonly country: string | undefined
  readonly countryCode: string | undefined
  readonly region: string | undefined
  readonly subregion: string | undefined
  readonly city: string | undefined
  readonly latitude: number | undefined
  readonly longitude: number | undefined
  readonly asn: number | undefined
  readonly organization: string | undefined
  readonly network: string | undefined
  /** Only where the database has such data. */
  readonly flags?: readonly LocationFlag[]
  readonly privacyService?: string
}

/** What is known before the policy is: enough to find the site and the entry (spec pipeline 3). */
export type Head = {
  readonly input: RequestInput
  readonly method: string
  /** Lower-case, with port if one was sent; `unknown` if there is none. */
  readonly authority: string
  /** `authority` without port and trailing dot; IPv6 literals keep their brackets. */
  readonly host: string
  /** Not one host name or address with an optional numeric port. */
  readonly hostInvalid: boolean
  readonly uri: Uri
  readonly headers: Parameters
  readonly cookies: Parameters
}

/** Why a request is refused before filtering (spec pipeline 1.2). */
export type HeadRefusal =
  | { readonly kind: 'invalid-characters'; readonly header: string }
  | { readonly kind: 'conflicting-content-type' }

/** How the rest is read; all of it follows from the site and the entry. */
export type ReadSettings = {
  /** Lower-case header names that may carry the client address, in order. */
  readonly clientAddressHeaders: readonly string[]
  readonly trusts: (address: string) => boolean
  /** Nothing reads the body: it is not parsed. */
  readonly readBody: boolean
  /** Bytes that the inspection buffer holds. */
  readonly bodyLimit: number
  readonly maxBodyDepth: number
  /** JSONPath of strings that hold GraphQL; empty: those that look like it. */
  readonly graphqlPath: string
  readonly refererAsUri: boolean
}

/** The whole request. Built once, read-only. */
export type RequestView = Head & {
  readonly scheme: 'http' | 'https'
  readonly ip: string
  readonly peer: string
  readonly ipInvalid: boolean
  readonly requestId: string
  readonly timestamp: number
  readonly args: Parameters
  readonly plugins: Parameters
  readonly body: BodyReport
}
