// What a child process tells its supervisor, over the channel that Node opens between them. Without a supervisor the
// same calls do nothing.

export type ChildMessage =
  | { readonly kind: 'ready' }
  /** A changed folder is in force, or one that was refused is again what is in force. */
  | { readonly kind: 'policy'; readonly revision: string }
  /** A changed folder was refused; what ran goes on. */
  | { readonly kind: 'refused'; readonly problems: readonly string[] }
  /** An Envoy or a filter refused what the control plane sent. */
  | { readonly kind: 'nack'; readonly node: string; readonly reason: string }

export function tell(message: ChildMessage): void {
  if (process.connected) process.send?.(message)
}

const kinds: ReadonlySet<unknown> = new Set([
  'ready',
  'policy',
  'refused',
  'nack',
] satisfies ChildMessage['kind'][])

export const isChildMessage = (message: unknown): message is ChildMessage =>
  typeof message === 'object' && message !== null && 'kind' in message && kinds.has(message.kind)
