// Platform: what every room needs and no room owns. It knows nothing of requests, policies or Envoy.
export { type Clock, manualClock, systemClock } from './clock.ts'
export { codeAt } from './code-at.ts'
export {
  type Pattern,
  type PatternFlags,
  type PatternProblem,
  type PatternSet,
  checkPattern,
  compilePattern,
  compilePatternSet,
} from './pattern.ts'
export { type Recent, createRecent } from './recent.ts'
export { type Shared, createShared } from './shared.ts'
export {
  type AddressIndex,
  type Cidr,
  addressIndex,
  addressOfHostPort,
  addressSet,
  canonicalAddress,
  parseCidr,
  readAddress,
} from './address.ts'
export {
  type Cursor,
  DerError,
  type Element,
  cursorIn,
  derTag,
  elementAt,
  elementsIn,
  hexOf,
  integerOf,
  normaliseSerial,
  timeOf,
} from './der.ts'
export { ownAddresses } from './own-addresses.ts'
export { whyUnreadable } from './unreadable.ts'
export { type Ending, type Lifecycle, createLifecycle } from './lifecycle.ts'
export { readOrMake } from './machine-file.ts'
export { type MachineSeed, readMachineSeed } from './machine-seed.ts'
export { type Log, type LogSettings, createLog, silentLog } from './log.ts'
export {
  Counter,
  Gauge,
  Histogram,
  type MetricsServer,
  type Registry,
  createRegistry,
  startMetrics,
} from './metrics.ts'
export { type SocketPlace, formatPlace, parsePlace } from './setting-kinds.ts'
export {
  type SettingName,
  type SettingValues,
  settingNames,
  settingTable,
  variableOf,
} from './setting-table.ts'
export {
  type LoadedSettings,
  type SettingFlag,
  type SettingTexts,
  type Settings,
  childEnvironment,
  loadSettings,
  programFolders,
} from './settings.ts'
