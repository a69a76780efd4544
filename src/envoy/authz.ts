// The ext_authz door: a CheckRequest becomes a RequestInput, the pipeline decides, the decision becomes a CheckResponse.
// Whatever goes wrong between is answered by a decision too (spec pipeline 1.2), so that the client gets the block page and the
// request leaves an event; only bytes that are no CheckRequest end as a gRPC error.
import type { Decision } from '#pipeline'
import { type Clock, ownAddresses, systemClock } from '#platform'
import type { RequestInput } from '#request'
import { decodeCheckRequest } from './check-request.ts'
import { encodeCheckResponse } from './check-response.ts'
import { GrpcError, type MethodPath, type UnaryMethod } from './transport.ts'

export const authorizationService = 'envoy.service.auth.v3.Authorization'

export const checkPath: MethodPath = `/${authorizationService}/Check`

export type Decide = (input: RequestInput) => Decision | Promise<Decision>

export type AuthzOptions = {
  readonly decide: Decide
  /** The decision for a request on which `decide` failed; it must not fail itself. */
  readonly failed: (input: RequestInput, error: unknown) => Decision
  /** Told about bytes that are no CheckRequest: a client that is not Envoy, or an Envoy that Weir does not know. */
  readonly onMalformed?: (error: unknown) => void
  /** For requests to which Envoy gives no time. */
  readonly clock?: Clock
}

type Decoding = { readonly now: number; readonly own: ReadonlySet<string> }

function decode(
  message: Uint8Array,
  { now, own }: Decoding,
  onMalformed: AuthzOptions['onMalformed'],
): RequestInput {
  try {
    return decodeCheckRequest(message, now, own)
  } catch (error) {
    onMalformed?.(error)
    const reason = error instanceof Error ? error.message : String(error)
    throw new GrpcError('INVALID_ARGUMENT', `not an HTTP CheckRequest: ${reason}`)
  }
}

/** The method `Check` of envoy.service.auth.v3.Authorization. */
export function createAuthz({ decide, failed, onMalformed, clock = systemClock }: AuthzOptions): UnaryMethod {
  const answer = (input: RequestInput, decision: Decision): Uint8Array => {
    try {
      return encodeCheckResponse(decision)
    } catch (error) {
      // A decision that cannot be written down is a defect like one that could not be made.
      return encodeCheckResponse(failed(input, error))
    }
  }
  const own = new Set(ownAddresses())
  return (message) => {
    const input = decode(message, { now: clock.now(), own }, onMalformed)
    try {
      const decision = decide(input)
      if (!(decision instanceof Promise)) return answer(input, decision)
      return decision.then(
        (late) => answer(input, late),
        (error: unknown) => encodeCheckResponse(failed(input, error)),
      )
    } catch (error) {
      return encodeCheckResponse(failed(input, error))
    }
  }
}
