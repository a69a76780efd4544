// Control: what an administrator owns over time. Fetching under guard, revocation lists.
export { type CrlKeeper, type CrlKeeperOptions, createCrlKeeper } from './crl/keeper.ts'
export type { Unlisted } from './crl/sources.ts'
export {
  type Fetched,
  type GuardSettings,
  type GuardedFetch,
  createGuardedFetch,
} from './fetch/guarded-fetch.ts'
