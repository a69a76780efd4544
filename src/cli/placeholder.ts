// The certificate that sites have until somebody gives them one: made by the control plane when the first load balancer
// takes TLS, and kept, so that a restart shows visitors the same one.
import { selfSigned } from '#config'
import { type Log, readOrMake } from '#platform'

type Pair = ReturnType<typeof selfSigned>

/** Certificate first, then the key, as PEM files of both usually have it. */
const keyBegins = '-----BEGIN PRIVATE KEY-----'

export function placeholderSource(file: string, log: Log): () => Pair | undefined {
  let found: Pair | undefined
  return () => {
    if (found !== undefined) return found
    try {
      const { text, made } = readOrMake(file, () => {
        const { chain, key } = selfSigned('Weir placeholder')
        return chain + key
      })
      if (made)
        log.info({ file }, 'sites without a certificate show one that signs itself until they have their own')
      const at = text.indexOf(keyBegins)
      found = { chain: text.slice(0, at), key: text.slice(at) }
      return found
    } catch (error) {
      log.warn(
        { err: error, file },
        'no certificate for sites without one: let Weir read and write this file',
      )
      return undefined
    }
  }
}
