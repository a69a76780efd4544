// TLS between the control plane and its nodes (spec control-plane 2.11): keys of certificates travel there. The contents
// of PEM files become the credentials of grpc-js, so that nobody outside this room needs to know that library.
import { type ChannelCredentials, ServerCredentials, credentials } from '@grpc/grpc-js'

/** PEM; `cert` with its intermediates. */
export type TlsPair = { readonly cert: Buffer; readonly key: Buffer }

/** @param clientCa clients have to show a certificate of it; undefined: none is asked for */
export const serverCredentials = ({ cert, key }: TlsPair, clientCa: Buffer | undefined): ServerCredentials =>
  ServerCredentials.createSsl(
    clientCa ?? null,
    [{ cert_chain: cert, private_key: key }],
    clientCa !== undefined,
  )

/**
 * @param ca the server has to show a certificate of it that names the dialled host
 * @param own what is shown to a server that asks; undefined: nothing
 */
export const clientCredentials = (ca: Buffer, own: TlsPair | undefined): ChannelCredentials =>
  credentials.createSsl(ca, own?.key ?? null, own?.cert ?? null)
