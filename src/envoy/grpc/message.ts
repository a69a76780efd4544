// Puts the one message of a unary request together (gRPC over HTTP/2, "Length-Prefixed-Message"). The usual request is one DATA
// frame, and its message stays where it lies. Others are gathered in a buffer that grows with what has arrived, never with what a
// peer announced, and whose bytes are taken from the server's budget.
import type { Budget, Limits } from './limits.ts'
import { type Refusal, refusal } from './status.ts'

const prefixBytes = 5
const smallest = 512

export type Assembly = {
  /** The bytes so far; `prefixBytes + length` of them are the message. */
  bytes: Buffer
  have: number
}

export type Received = Uint8Array | Refusal

export const isRefusal = (received: Received): received is Refusal => 'kind' in received

const tooLarge = (length: number, most: number): Refusal =>
  refusal('RESOURCE_EXHAUSTED', `a message of ${length} bytes; at most ${most} are taken`)

/** What the prefix at `at` says against the message; undefined: nothing. */
function judgePrefix(bytes: Buffer, at: number, encoding: string, limits: Limits): Refusal | undefined {
  if (bytes.readUInt8(at) !== 0)
    return encoding === '' || encoding === 'identity'
      ? refusal('INTERNAL', 'a compressed message without grpc-encoding')
      : refusal('UNIMPLEMENTED', `compression is not supported: ${encoding.slice(0, 40)}`)
  const length = bytes.readUInt32BE(at + 1)
  return length > limits.maxMessageBytes ? tooLarge(length, limits.maxMessageBytes) : undefined
}

/** The message in `bytes` from `start` to `end`, which are the whole body. */
export function wholeMessage(
  bytes: Buffer,
  start: number,
  end: number,
  encoding: string,
  limits: Limits,
): Received {
  if (end === start) return refusal('UNIMPLEMENTED', 'a unary call without a message')
  if (end - start < prefixBytes) return refusal('INTERNAL', 'the message has no end')
  const problem = judgePrefix(bytes, start, encoding, limits)
  if (problem !== undefined) return problem
  const length = bytes.readUInt32BE(start + 1)
  const present = end - start - prefixBytes
  if (length > present) return refusal('INTERNAL', 'the message has no end')
  return length < present
    ? refusal('UNIMPLEMENTED', 'more than one message in a unary call')
    : bytes.subarray(start + prefixBytes, end)
}

export const newAssembly = (): Assembly => ({ bytes: Buffer.alloc(0), have: 0 })

/** Adds a part of the body. Returns why the call ends here, if it does. */
export function addPart(
  assembly: Assembly,
  { bytes, start, end }: { readonly bytes: Buffer; readonly start: number; readonly end: number },
  {
    limits,
    budget,
    encoding,
  }: { readonly limits: Limits; readonly budget: Budget; readonly encoding: string },
): Refusal | undefined {
  const wanted = assembly.have + end - start
  if (wanted > limits.maxMessageBytes + prefixBytes) return tooLarge(wanted, limits.maxMessageBytes)
  if (wanted > assembly.bytes.length) {
    const size = Math.min(Math.max(smallest, wanted * 2), limits.maxMessageBytes + prefixBytes)
    if (!budget.take(size - assembly.bytes.length))
      return refusal('RESOURCE_EXHAUSTED', 'too many large messages at a time')
    const larger = Buffer.allocUnsafeSlow(size)
    assembly.bytes.copy(larger, 0, 0, assembly.have)
    assembly.bytes = larger
  }
  const knewPrefix = assembly.have >= prefixBytes
  bytes.copy(assembly.bytes, assembly.have, start, end)
  assembly.have = wanted
  return knewPrefix || wanted < prefixBytes ? undefined : judgePrefix(assembly.bytes, 0, encoding, limits)
}

/** Gives back what the assembly took from the budget; its bytes may go on living with the method that got them. */
export function release(assembly: Assembly, budget: Budget): void {
  budget.give(assembly.bytes.length)
  assembly.bytes = Buffer.alloc(0)
  assembly.have = 0
}
