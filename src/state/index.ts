// State: the counters, sets, sequences and bans that every filter process shares, or keeps for itself.
export type { LinkStats, StateLog } from './link.ts'
export { type MemoryState, type MemoryStateOptions, type MemoryStats, memoryState } from './memory.ts'
export { type RedisState, type RedisStateOptions, type RedisStats, redisState } from './redis.ts'
export { type Ban, type Exchange, type State, type StateOperation, bannedAnswer } from './state.ts'
