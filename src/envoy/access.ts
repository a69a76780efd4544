// Who may use a gRPC server: whoever knows the token, or, where there is none, only programs on this machine
// (spec control-plane 2.11). Asked once per call, before a byte of a message is read.
import { createHash, timingSafeEqual } from 'node:crypto'
import { BlockList, isIPv6 } from 'node:net'
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

/** @param token of `authorization: Bearer …`; undefined: only this machine may connect. */
export function admission(token: string | undefined): Admission {
  if (token === undefined)
    return ({ address = '' }) =>
      address !== '' && thisMachine.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
        ? undefined
        : 'without a token only this machine may connect: set xds.token here and in the bootstrap of the node'
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
