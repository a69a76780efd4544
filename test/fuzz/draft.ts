// A request while it is being changed: everything that a client or a proxy controls, as bytes. It becomes what a door
// hands over, and JSON, so that a finding can be kept and tried again.
import type { HumanLevel, RequestInput } from '#request'

export type HeaderBytes = readonly [name: string, value: Buffer]

export type Draft = {
  method: string
  scheme: 'http' | 'https'
  /** Empty: the host of the policy that judges. */
  authority: string
  target: Buffer
  headers: HeaderBytes[]
  body: Buffer | undefined
  partial: boolean
  peer: string
  /** Undefined: found from the headers. */
  client: string | undefined
  human: HumanLevel | undefined
  plugins: Record<string, string>
  /** Milliseconds that the clock moves before it. */
  after: number
  /** Bytes of the body without its content-encoding. */
  plainSize: number
}

export type SavedDraft = Omit<Draft, 'target' | 'headers' | 'body'> & {
  readonly target: string
  readonly headers: readonly (readonly [name: string, base64: string])[]
  readonly body: string | null
}

export const saveDraft = ({ target, headers, body, ...rest }: Draft): SavedDraft => ({
  ...rest,
  target: target.toString('base64'),
  headers: headers.map(([name, value]) => [name, value.toString('base64')]),
  body: body === undefined ? null : body.toString('base64'),
})

export const restoreDraft = ({ target, headers, body, ...rest }: SavedDraft): Draft => ({
  ...rest,
  target: Buffer.from(target, 'base64'),
  headers: headers.map(([name, value]) => [name, Buffer.from(value, 'base64')]),
  body: body === null ? undefined : Buffer.from(body, 'base64'),
})

/** Bytes that a decision has to look at. */
export const sizeOf = ({ target, headers, body, plainSize }: Draft): number =>
  target.length +
  headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0) +
  Math.max(body?.length ?? 0, plainSize)

const oneLine = (text: string): string => text.replaceAll(/[\r\n\0]/g, ' ')

/** Header values are given as text where they are UTF-8, as a door does; no HTTP can carry line breaks and NUL in them. */
const valueOf = (bytes: Buffer): string | Uint8Array => {
  const line = Buffer.from(oneLine(bytes.toString('latin1')), 'latin1')
  const text = line.toString('utf8')
  return text.includes('\ufffd') ? line : text
}

export function inputOf(draft: Draft, authority: string, now: number): RequestInput {
  return {
    method: draft.method,
    scheme: draft.scheme,
    authority: draft.authority === '' ? authority : draft.authority,
    target: draft.target.toString('utf8'),
    headers: draft.headers.map(([name, value]) => [name, valueOf(value)]),
    body: draft.body === undefined ? undefined : { bytes: draft.body, partial: draft.partial },
    peer: oneLine(draft.peer),
    client: draft.client === undefined ? undefined : oneLine(draft.client),
    timestamp: now,
    requestId: '7f3c0c1e-8f0e-4b7e-9d7a-1f8e2a6f0b11',
    human: draft.human,
    hints: { group: undefined, entry: undefined },
    plugins: new Map(Object.entries(draft.plugins)),
  }
}
