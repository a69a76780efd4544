// Who may use a gRPC server: whoever knows the token, or, where there is none, only programs on this machine and those
// whose certificate TLS has asked for (spec control-plane 2.11). Asked once per call, before a byte of a message is read.
import { createHash, timingSafeEqual } from 'node:crypto'
import { BlockList, isIP, isIPv6 } from 'node:net'
import { type ServerInterceptor, ServerInterceptingCall, status } from '@grpc/grpc-js'

export type Caller = {
  /** IP address; undefined when the connection is gone. */
  readonly address: string | undefined
  /** The `authorization` metadata. */
  readonly authorization: string | undefined
}

/** Why a call is refused; undefined: it may go on. */
export type Admission = (caller: Caller) => string | undefined

const thisMachine = new BlockList()
thisMachine.addSubnet('127.0.0.0', 8)
thisMachine.addAddress('::1', 'ipv6')

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Is this an address of the loopback interface? */
export const isThisMachine = (address: string): boolean =>
  isIP(address) !== 0 && thisMachine.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')

/**
 * @param token of `authorization: Bearer …`; undefined: only this machine may connect
 * @param isCertified TLS lets nobody in without a certificate, so that no token is needed
 */
export function admission(token: string | undefined, isCertified = false): Admission {
  if (token === undefined)
    return ({ address = '' }) =>
      isCertified || isThisMachine(address)
        ? undefined
        : 'without a token only this machine may connect: set xds.token here and at the node'
  const expected = digest(`Bearer ${token}`)
  return ({ authorization = '' }) =>
    timingSafeEqual(digest(authorization), expected)
      ? undefined
      : 'the authorization is missing or wrong: the node has to send the token of xds.token'
}

/** Puts the admission in front of every method of a server. */
export const gate =
  (admit: Admission): ServerInterceptor =>
  (_method, call) =>
    new ServerInterceptingCall(call, {
      start(next) {
        next({
          onReceiveMetadata(metadata, go) {
            const { remoteAddress: address } = call.getConnectionInfo()
            const [authorization] = metadata.get('authorization').map(String)
            const refusal = admit({ address, authorization })
            if (refusal === undefined) go(metadata)
            else call.sendStatus({ code: status.UNAUTHENTICATED, details: refusal })
          },
        })
      },
    })
