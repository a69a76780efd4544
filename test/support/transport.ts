// The transport that end-to-end tests run a filter on: the variable that sets it for `weir` sets it for them as well, so that
// the same tests can be run on each. Undefined: the default one.
import { type Transport, transports } from '#envoy'

const wanted = process.env['WEIR_FILTER_TRANSPORT']

export const transport: Transport | undefined = transports.find((one) => one === wanted)
if (wanted !== undefined && transport === undefined)
  throw new Error(`WEIR_FILTER_TRANSPORT is ${wanted}: one of ${transports.join(', ')}`)
