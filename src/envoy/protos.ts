// Envoy's protobuf types, loaded from the .proto files that come with @grpc/grpc-js-xds, and only when somebody
// asks for one: about 0.2 s, which the filter's hot path (check-request.ts, check-response.ts) never pays.
// Files that only annotate (validation rules, deprecation) are left out: their options stay readable as text.
// What Envoy has and those files lack is added from proto-additions.ts.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import protobuf from 'protobufjs'
import { addedFields, addedMessages } from './proto-additions.ts'

/** Every message that Weir speaks, or that a resource of Weir may hold inside `google.protobuf.Any`. */
const files: readonly string[] = [
  'envoy/config/bootstrap/v3/bootstrap.proto',
  'envoy/config/cluster/v3/cluster.proto',
  'envoy/config/endpoint/v3/endpoint.proto',
  'envoy/config/listener/v3/listener.proto',
  'envoy/config/rbac/v3/rbac.proto',
  'envoy/config/route/v3/route.proto',
  'envoy/data/accesslog/v3/accesslog.proto',
  'envoy/extensions/access_loggers/file/v3/file.proto',
  'envoy/extensions/access_loggers/filters/cel/v3/cel.proto',
  'envoy/extensions/access_loggers/grpc/v3/als.proto',
  'envoy/extensions/access_loggers/stream/v3/stream.proto',
  'envoy/extensions/compression/brotli/compressor/v3/brotli.proto',
  'envoy/extensions/compression/gzip/compressor/v3/gzip.proto',
  'envoy/extensions/filters/http/buffer/v3/buffer.proto',
  'envoy/extensions/filters/http/compressor/v3/compressor.proto',
  'envoy/extensions/filters/http/cors/v3/cors.proto',
  'envoy/extensions/filters/http/ext_authz/v3/ext_authz.proto',
  'envoy/extensions/filters/http/ext_proc/v3/ext_proc.proto',
  'envoy/extensions/filters/http/header_mutation/v3/header_mutation.proto',
  'envoy/extensions/filters/http/health_check/v3/health_check.proto',
  'envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit.proto',
  'envoy/extensions/filters/http/lua/v3/lua.proto',
  'envoy/extensions/filters/http/router/v3/router.proto',
  'envoy/extensions/filters/http/set_metadata/v3/set_metadata.proto',
  'envoy/extensions/filters/http/stateful_session/v3/stateful_session.proto',
  'envoy/extensions/filters/http/wasm/v3/wasm.proto',
  'envoy/extensions/filters/listener/local_ratelimit/v3/local_ratelimit.proto',
  'envoy/extensions/filters/listener/original_dst/v3/original_dst.proto',
  'envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol.proto',
  'envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.proto',
  'envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto',
  'envoy/extensions/filters/network/rbac/v3/rbac.proto',
  'envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto',
  'envoy/extensions/formatter/cel/v3/cel.proto',
  'envoy/extensions/formatter/metadata/v3/metadata.proto',
  'envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation.proto',
  'envoy/extensions/http/header_formatters/preserve_case/v3/preserve_case.proto',
  'envoy/extensions/http/original_ip_detection/custom_header/v3/custom_header.proto',
  'envoy/extensions/http/original_ip_detection/xff/v3/xff.proto',
  'envoy/extensions/http/stateful_session/cookie/v3/cookie.proto',
  'envoy/extensions/matching/common_inputs/network/v3/network_inputs.proto',
  'envoy/extensions/matching/input_matchers/ip/v3/ip.proto',
  'envoy/extensions/path/match/uri_template/v3/uri_template_match.proto',
  'envoy/extensions/path/rewrite/uri_template/v3/uri_template_rewrite.proto',
  'envoy/extensions/resource_monitors/downstream_connections/v3/downstream_connections.proto',
  'envoy/extensions/resource_monitors/fixed_heap/v3/fixed_heap.proto',
  'envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.proto',
  'envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config.proto',
  'envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol.proto',
  'envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.proto',
  'envoy/extensions/transport_sockets/tls/v3/tls.proto',
  'envoy/extensions/upstreams/http/v3/http_protocol_options.proto',
  'envoy/service/accesslog/v3/als.proto',
  'envoy/service/auth/v3/external_auth.proto',
  'envoy/service/discovery/v3/ads.proto',
  'envoy/service/ext_proc/v3/external_processor.proto',
  'xds/type/matcher/v3/cel.proto',
  'xds/type/matcher/v3/matcher.proto',
]

const annotationFile =
  /^(validate\/|udpa\/annotations\/|xds\/annotations\/|envoy\/annotations\/|google\/api\/annotations|google\/protobuf\/descriptor)/

/** Folders of the package that hold .proto files, in the order in which an import is looked for. */
function importFolders(): readonly string[] {
  const manifest = createRequire(import.meta.url).resolve('@grpc/grpc-js-xds/package.json')
  const deps = join(dirname(manifest), 'deps')
  return ['envoy-api', 'googleapis', 'xds'].map((folder) => join(deps, folder))
}

function locate(file: string, folders: readonly string[]): string {
  for (const folder of folders) {
    const path = join(folder, file)
    if (existsSync(path)) return path
  }
  throw new Error(`${file} is not in ${folders.join(', ')}: install the packages again (npm ci)`)
}

const ruleOf = (field: { readonly repeated?: true }): string | undefined =>
  field.repeated ? 'repeated' : undefined

function addMissing(root: protobuf.Root): void {
  for (const { message, fields } of addedMessages) {
    const at = message.lastIndexOf('.')
    const parent = root.lookup(message.slice(0, at))
    if (!(parent instanceof protobuf.Namespace))
      throw new Error(`proto-additions.ts: nothing is called ${message.slice(0, at)}`)
    if (parent.get(message.slice(at + 1))) continue
    const type = new protobuf.Type(message.slice(at + 1))
    for (const field of fields) type.add(new protobuf.Field(field.name, field.id, field.type, ruleOf(field)))
    parent.add(type)
  }
  for (const field of addedFields) {
    const type = root.lookupType(field.message)
    if (type.fields[field.name]) continue
    const added = new protobuf.Field(field.name, field.id, field.type, ruleOf(field))
    type.add(added)
    if (field.oneof) type.oneofs[field.oneof]?.add(added)
  }
}

/**
 * The library builds a full name anew, from the root down, each time it looks at a field: a third of the time in which
 * the routes of a thousand sites are converted. Nothing moves in the tree once it is loaded.
 */
function fixFullNames(parent: protobuf.Namespace): void {
  const fields = parent instanceof protobuf.Type ? parent.fieldsArray : []
  for (const object of [...parent.nestedArray, ...fields]) {
    Object.defineProperty(object, 'fullName', { value: object.fullName })
    if (object instanceof protobuf.Namespace) fixFullNames(object)
  }
}

/** Some of the files alone, as they are. */
export function loadEnvoyFiles(names: readonly string[]): protobuf.Root {
  const root = new protobuf.Root()
  const folders = importFolders()
  root.resolvePath = (_origin, file) => (annotationFile.test(file) ? null : locate(file, folders))
  return root.loadSync([...names], { keepCase: true })
}

function load(): protobuf.Root {
  const root = loadEnvoyFiles(files)
  addMissing(root)
  fixFullNames(root)
  return root
}

let loaded: protobuf.Root | undefined
/** By full name, because the library's own search costs more than a conversion. */
const types = new Map<string, protobuf.Type>()

/**
 * The message of this full name, e.g. `envoy.config.cluster.v3.Cluster`; the first call loads all of them.
 * Throws for a name that is not there: a mistake in Weir's code, or an operator's `@type` (proto-json.ts asks before).
 */
export function lookup(typeName: string): protobuf.Type {
  const known = types.get(typeName)
  if (known) return known
  loaded ??= load()
  const type = loaded.lookupType(typeName)
  types.set(typeName, type)
  return type
}

/** Whether Weir knows the message of this full name. */
export function isKnown(typeName: string): boolean {
  if (types.has(typeName)) return true
  loaded ??= load()
  return loaded.lookup(typeName, [protobuf.Type]) !== null
}
