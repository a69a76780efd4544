// Traffic: events. One per request, completed from Envoy's access log, kept in the journal, read again from there.
export { type BackendCount, type BackendEvent, countBackends } from './backend-failures.ts'
export {
  type ConnectionFailures,
  type ConnectionFailuresOptions,
  createConnectionFailures,
  reasonOf,
} from './connection-failures.ts'
export type { EventHead, EventSettings, Result, TrafficEvent, UpstreamData } from './event.ts'
export { type Ingest, type IngestOptions, type IngestStats, type Sink, createIngest } from './ingest.ts'
export { type Journal, type JournalOptions, type JournalStats, openJournal } from './journal.ts'
export { readSince } from './journal-since.ts'
export { type FollowOptions, type Position, type Tail, followJournal, readTail } from './journal-reader.ts'
export { type ReadableEvent, isReadableEvent, readableEvent } from './readable.ts'
