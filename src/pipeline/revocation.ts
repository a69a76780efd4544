// Whether a client's certificate has been revoked (spec control-plane 1.1). Envoy has found that it leads to the bundle; here
// its issuer is looked for among the CAs of the bundle, once per certificate, and its serial number in the lists of that
// CA, with every request: a new list acts on connections that are open.
import { X509Certificate } from 'node:crypto'
import { type BundledCa, type Certificate, type Revocations, isIssuer, readBundle, trustedCas } from '#config'
import { normaliseSerial } from '#platform'

/** `unknown`: no CA of the bundle that is still trusted issued it, or there is no list of that CA yet. */
export type Standing = 'good' | 'revoked' | 'unknown'

/** @param certificate the leaf as URL-encoded PEM */
export type RevocationCheck = (certificate: string, revocations: Revocations) => Standing

type Leaf = { readonly serial: string; readonly issuers: readonly BundledCa[] }

const unreadable: Leaf = { serial: '', issuers: [] }

function readLeaf(encoded: string, bundle: readonly BundledCa[]): Leaf {
  try {
    const leaf = new X509Certificate(decodeURIComponent(encoded))
    return {
      serial: normaliseSerial(leaf.serialNumber),
      issuers: bundle.filter(({ certificate }) => isIssuer(leaf, certificate)),
    }
  } catch {
    // Envoy validated it; what OpenSSL cannot read is nobody's, and so refused.
    return unreadable
  }
}

/** Clients repeat their certificate with every request, and looking for its issuer takes longer than all the rest. */
const mostLeaves = 4096

export function compileRevocationCheck({ chain }: Pick<Certificate, 'chain'>): RevocationCheck {
  const bundle = readBundle(chain)
  const leaves = new Map<string, Leaf>()
  const leafOf = (encoded: string): Leaf => {
    const known = leaves.get(encoded)
    if (known !== undefined) return known
    if (leaves.size >= mostLeaves) leaves.clear()
    const read = readLeaf(encoded, bundle)
    leaves.set(encoded, read)
    return read
  }
  let judged: Revocations | undefined
  let trusted: ReadonlySet<BundledCa> = new Set()

  return (encoded, revocations) => {
    if (judged !== revocations) {
      trusted = new Set(trustedCas(bundle, revocations))
      judged = revocations
    }
    const { serial, issuers } = leafOf(encoded)
    let standing: Standing = 'unknown'
    for (const issuer of issuers) {
      const listed = revocations.cas.get(issuer.id)
      if (listed?.serials.has(serial) === true) return 'revoked'
      if (listed?.complete === true && trusted.has(issuer)) standing = 'good'
    }
    return standing
  }
}
