// Platform: what every room needs and no room owns. It knows nothing of requests, policies or Envoy.
export { type Clock, manualClock, systemClock } from './clock.ts'
export {
  type Pattern,
  type PatternFlags,
  type PatternProblem,
  type PatternSet,
  checkPattern,
  compilePattern,
  compilePatternSet,
} from './pattern.ts'
export {
  type AddressIndex,
  type Cidr,
  addressIndex,
  addressOfHostPort,
  addressSet,
  canonicalAddress,
  parseCidr,
} from './address.ts'
