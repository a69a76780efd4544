// Request: what a request is, read from what a door received.
export { type Decoding, decodedVariants } from './decoding.ts'
export { type ReadHead, readHead } from './head.ts'
export { noBody } from './body/read-body.ts'
export { type Locator, type LocatorSettings, noLocation, openLocator } from './location.ts'
export { decodePath, decodeQuery } from './percent.ts'
export { readRequest } from './read-request.ts'
export { pathSegments } from './uri.ts'
export type {
  BodyInput,
  BodyKind,
  BodyReport,
  Connection,
  Head,
  HeadRefusal,
  HeaderLine,
  HumanLevel,
  Location,
  LocationFlag,
  Parameter,
  Parameters,
  Place,
  ReadSettings,
  RequestInput,
  RequestView,
  Uri,
} from './request.ts'
