// Private keys: where they may stand, what they must be, and that they belong to their certificate (spec control-plane 1.6).
import {
  type KeyObject,
  type X509Certificate,
  createDecipheriv,
  createHash,
  createPrivateKey,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import { whyUnreadable } from '#platform'
import { finding } from '../findings.ts'
import type { Finding } from '../problem.ts'

const curves: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1'])
const leastRsaBits = 2048

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Undoes `enc:v1:`: base64 of 12 bytes of nonce, 16 of tag, and the text (AES-256-GCM, key = SHA-256 of the secret). */
function decrypt(sealed: string, secret: string): string {
  const bytes = Buffer.from(sealed, 'base64')
  const key = createHash('sha256').update(secret).digest()
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
  decipher.setAuthTag(bytes.subarray(12, 28))
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
}

type Fetched = { readonly text: string } | Finding

function fetchKey(source: string): Fetched {
  if (source.startsWith('file:')) {
    const path = source.slice('file:'.length)
    try {
      return { text: readFileSync(path, 'utf8') }
    } catch (error) {
      return finding(
        `the key file cannot be read: ${whyUnreadable(error)}`,
        `Make ${path} readable for Weir.`,
      )
    }
  }
  if (source.startsWith('env:')) {
    const name = source.slice('env:'.length)
    const text = process.env[name]
    return text === undefined
      ? finding(`the environment variable ${name} is not set`, `Set ${name} to the key in PEM.`)
      : { text }
  }
  if (!source.startsWith('enc:')) return { text: source }
  const secret = process.env['WEIR_SECRET_KEY'] ?? ''
  if (secret === '')
    return finding('the key is encrypted', 'Set WEIR_SECRET_KEY to the secret that encrypted it.')
  try {
    return { text: decrypt(source.replace(/^enc:v1:/, ''), secret) }
  } catch {
    return finding('the key cannot be decrypted', 'Set WEIR_SECRET_KEY to the secret that encrypted it.')
  }
}

function checkKind(key: KeyObject): Finding | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'rsa') {
    const bits = details?.modulusLength ?? 0
    if (bits >= leastRsaBits) return undefined
    return finding(`RSA key of ${String(bits)} bits`, `Use one of at least ${String(leastRsaBits)} bits.`)
  }
  if (type === 'ec' && curves.has(details?.namedCurve ?? '')) return undefined
  return finding('neither RSA nor ECDSA on P-256, P-384 or P-521', 'Use a key that browsers accept.')
}

/**
 * The key of a certificate in PKCS#8 PEM. `source` is PEM, `file:/path`, `env:NAME` or `enc:v1:…`.
 */
export function readPrivateKey(
  source: string,
  password: string | undefined,
  leaf: X509Certificate,
): { readonly key: string } | Finding {
  const fetched = fetchKey(source)
  if ('reason' in fetched) return fetched
  let key: KeyObject
  try {
    key = createPrivateKey({ key: fetched.text, ...(password === undefined ? {} : { passphrase: password }) })
  } catch (error) {
    const locked = /passphrase|bad decrypt|interrupted or cancelled/i.test(messageOf(error))
    return locked
      ? finding(
          'the key is protected by a passphrase',
          'Send the right private_key_password with it, or remove the passphrase.',
        )
      : finding('no private key in PEM found', 'Paste the key file: -----BEGIN PRIVATE KEY----- …')
  }
  const wrong = checkKind(key)
  if (wrong !== undefined) return wrong
  if (!leaf.checkPrivateKey(key)) {
    return finding(
      'does not belong to the certificate',
      'Give the key with which the first certificate of cert_body was requested.',
    )
  }
  return { key: key.export({ type: 'pkcs8', format: 'pem' }).toString() }
}
