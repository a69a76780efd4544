// Every process setting of Weir: what this machine and this process need to know, which is no document of the
// configuration. A row is its name in weir.yaml (dots are levels), its kind, its default and what it does; the variable's
// name follows from it (`redis.url` is WEIR_REDIS_URL). Kubernetes sets WEIR_…_PORT and WEIR_…_SERVICE_… for services
// of such names, so no setting may be called port or service.
import {
  type Setting,
  choice,
  count,
  duration,
  hosts,
  place,
  places,
  size,
  someOf,
  text,
  token,
  yesNo,
} from './setting-kinds.ts'

const kib = 1024
const mib = 1024 * kib
const gib = 1024 * mib

export const settingTable = {
  config: text(undefined, 'Folder with the documents. Default: the shipped one.'),

  'log.level': choice(
    ['trace', 'debug', 'info', 'warn', 'error'],
    'info',
    'The least level that is written.',
  ),
  'log.format': choice(['auto', 'json', 'text'], 'auto', 'auto: text on a terminal, else JSON lines.'),

  'envoy.binary': text(undefined, 'The Envoy to run. Default: the one that the set-up found, else PATH.'),
  'envoy.listen': place(
    '0.0.0.0:8080',
    'Where Envoy takes HTTP requests, whatever the load balancer `http` of the configuration says. Not given: what it says.',
  ),
  'envoy.public': count(
    { from: 0, to: 65_535 },
    0,
    'The port that clients use, if something maps it. 0: the one of envoy.listen.',
  ),
  'envoy.listen_tls': place(
    undefined,
    'Where Envoy takes HTTPS requests, whatever the load balancer `https` of the configuration says. Default: what it says.',
  ),
  'envoy.public_tls': count(
    { from: 0, to: 65_535 },
    0,
    'The port that clients use with envoy.listen_tls, if something maps it. 0: the same.',
  ),
  'envoy.admin': place('127.0.0.1:9901', 'Admin interface of Envoy. Never open it to others.'),
  'envoy.stats': place(
    '127.0.0.1:9902',
    'Readiness and metrics of Envoy, and nothing else of its admin interface.',
  ),
  'envoy.node': text('envoy-0', 'Id of the Envoy; events carry it as hostname.'),
  'envoy.concurrency': count({ from: 0, to: 256 }, 0, 'Worker threads of Envoy. 0: one a core.'),
  'envoy.drain_time': duration('1s', 'How long a stopping Envoy still takes connections.'),
  'envoy.filter_timeout': duration('1s', 'How long Envoy waits for the answer of a filter.'),
  'envoy.allow_loopback_backends': yesNo(
    false,
    'Backends on this machine are allowed. `weir serve` sets it unless it is given.',
  ),
  'envoy.advanced.allow': someOf(
    ['envoy.filters.http.lua', 'envoy.filters.http.wasm', 'envoy.access_loggers.file'],
    'Extensions that patches in advanced_configuration may bring in although they run code or write files.',
  ),
  'envoy.advanced.unsafe': yesNo(
    false,
    'Patches in advanced_configuration may change every field. A patch can then take the protection away.',
  ),

  'filter.listen': place(
    '127.0.0.1:9191',
    'gRPC of the filter; further filters of `serve` follow in steps of two.',
  ),
  'filter.transport': choice(
    ['lean', 'grpc-js'],
    'lean',
    'What carries the calls of Envoy: the transport written for it, or the reference.',
  ),
  'filter.metrics': place('127.0.0.1:9192', 'Metrics of the filter; further filters in steps of two.'),
  'filter.processes': count({ from: 1, to: 64 }, 1, 'Filter processes of `serve`. More than one need Redis.'),
  'filter.drain_notice': duration(
    '6s',
    'How long a stopping filter still answers, so that Envoy sees it leave.',
  ),
  'filter.node': text(
    undefined,
    'Id of the filter at the control plane, unique and the same after a restart. Default: host name and port.',
  ),
  'filter.region': text('local', 'The datacenter in which the filter runs, as load balancers name it.'),
  'filter.address': place(
    undefined,
    'Where Envoys reach the filter, an IP address. Default: filter.listen; if that is all addresses, one of this machine.',
  ),
  'filter.kept.file': text(
    undefined,
    'Keeps the policy that was acknowledged last. Default: policy-PORT.kept beside the journal.',
  ),

  'control.metrics': place('127.0.0.1:18001', 'Metrics of the control plane.'),
  'xds.listen': place('127.0.0.1:18000', 'ADS and access log of the control plane.'),
  'xds.control': place(
    undefined,
    'The control plane from which a filter has its policy. Default: none, the filter reads a folder.',
  ),
  'xds.bucket': text(
    'prod',
    'The bucket that is published here; nodes that ask for another one get nothing.',
  ),
  'xds.token': token(
    'What nodes send as `authorization: Bearer …`. Without it and xds.tls.client_ca only this machine may connect.',
  ),
  'xds.tls.cert': text(
    undefined,
    'PEM file: the certificate of the control plane, or what a filter shows to it, with intermediates.',
  ),
  'xds.tls.key': text(undefined, 'PEM file: the key of xds.tls.cert.'),
  'xds.tls.client_ca': text(
    undefined,
    'PEM file: nodes have to show the control plane a certificate of this CA. Without it none is asked for.',
  ),
  'xds.tls.ca': text(
    undefined,
    "PEM file: the CA that nodes check the control plane's certificate against. With it they speak TLS.",
  ),
  'xds.insecure': yesNo(
    false,
    'Nodes on other machines are served without TLS, because a mesh encrypts: keys of certificates travel there.',
  ),
  'xds.kept.file': text(
    undefined,
    'Keeps the Envoy configuration that was acknowledged last. Default: envoy-config.kept beside the journal.',
  ),
  'xds.kept.max_bytes': size(
    { from: mib, to: 4 * gib },
    '256MiB',
    'A larger Envoy configuration is not kept.',
  ),
  'xds.kept.fleet': text(
    undefined,
    'Keeps which filters there are. Default: filters.kept beside the journal.',
  ),
  'xds.filters': places(
    ['127.0.0.1:9191'],
    'The filters that Envoys are to ask. If it is given, those alone; else those that connect, as soon as there is one.',
  ),
  'xds.filters_leave': duration(
    '60s',
    'How long Envoys are still sent to a filter that is no longer connected, as long as others are.',
  ),

  'publish.timeout': duration('30s', 'After this a silent Envoy no longer holds a publish up.'),
  'publish.drain': duration('30s', 'How long clusters stay that nothing names any more.'),

  'redis.url': text(undefined, 'redis://, rediss:// or redis-cluster:// of the counters that filters share.'),
  'redis.deadline': duration('20ms', 'How long a request waits for Redis before local counters answer.'),

  'masking.seed': text(
    undefined,
    'Secret salt of masked values and session ids, where masking_seed of a content filter profile is CHANGEME. Several machines need the same one: a session has the same id only where the seed is the same.',
  ),
  'masking.seed_file': text(
    'var/masking-seed',
    'Without masking.seed: the file in which this machine keeps one, made at the first start.',
  ),

  'fetch.allow_http': yesNo(
    false,
    'Weir fetches what a configuration names over plain http as well. Revocation lists are signed and need no leave.',
  ),
  'fetch.allow_hosts': hosts(
    'Names, addresses and prefixes that Weir may fetch from although they are private, or on other ports than 80 and 443.',
  ),
  'fetch.timeout': duration('30s', 'How long fetching one URL may take, redirects included.'),
  'fetch.max_bytes': size({ from: kib, to: gib }, '20MiB', 'What is fetched may not be larger, unpacked.'),
  'crl.interval': duration('8h', 'How often revocation lists are fetched again, give or take 5 %.'),
  'crl.file': text(
    undefined,
    'The revocation lists in force: written by the control plane, read by filters. Default: revocations.json beside the journal.',
  ),

  'geo.city': text(undefined, 'A city or country database (.mmdb) instead of the shipped one.'),
  'geo.asn': text(undefined, 'A database of autonomous systems (.mmdb) instead of the shipped one.'),

  'traffic.journal.file': text('var/events.jsonl', 'The file of events, one JSON object a line.'),
  'traffic.journal.max_bytes': size(
    { from: 4 * kib, to: 64 * gib },
    '64MiB',
    'The file is rotated before it grows larger.',
  ),
  'traffic.journal.keep': count({ from: 0, to: 1000 }, 8, 'Rotated files that are kept.'),
  'traffic.event.max_bytes': size({ from: 16 * kib, to: mib }, '128KiB', 'An event is never larger.'),
  'traffic.print': choice(['none', 'json', 'text'], 'none', 'Events on standard output as well.'),

  'shutdown.timeout': duration('30s', 'How long running requests may take to end when Weir stops.'),

  /** Set by the supervisor for its children, never by people. */
  'supervisor.folder': text(undefined, 'Folder of the policy with which a filter begins.'),
  'supervisor.probe': text(undefined, 'User agent of the readiness probe, which leaves no event.'),
} as const satisfies Readonly<Record<string, Setting<unknown>>>

type Table = typeof settingTable

export type SettingName = keyof Table

/** Names whose rows have no default. */
type Optional =
  | 'supervisor.folder'
  | 'xds.control'
  | 'xds.token'
  | 'xds.tls.cert'
  | 'xds.tls.key'
  | 'xds.tls.client_ca'
  | 'xds.tls.ca'
  | 'xds.kept.file'
  | 'xds.kept.fleet'
  | 'filter.node'
  | 'filter.address'
  | 'filter.kept.file'
  | 'config'
  | 'envoy.binary'
  | 'envoy.listen_tls'
  | 'crl.file'
  | 'redis.url'
  | 'masking.seed'
  | 'geo.city'
  | 'geo.asn'
  | 'supervisor.probe'

type ValueOf<N extends SettingName> = Table[N] extends Setting<infer T> ? T : never

export type SettingValues = {
  readonly [N in SettingName]: N extends Optional ? ValueOf<N> | undefined : ValueOf<N>
}

export const settingNames = Object.keys(settingTable) as readonly SettingName[]

export const isSettingName = (name: string): name is SettingName => Object.hasOwn(settingTable, name)

export const variableOf = (name: SettingName): string => `WEIR_${name.toUpperCase().replaceAll('.', '_')}`
