// Lines that wait to be written, in order, bounded in bytes. They are encoded as they come, into batches: texts that wait would be
// moved about by the garbage collector, which costs as much as half of an event.

export type LineQueue = {
  readonly lines: number
  /** More than one batch waits: the first takes no more lines. */
  readonly hasFull: boolean
  /** False: too many bytes wait already. */
  add(line: string): boolean
  /** Lines of the first batch, as many as fit into `room` bytes but one at least; undefined: nothing waits. */
  peek(room: number): Lines | undefined
  /** Bytes of the line that is next; 0: nothing waits. */
  readonly next: number
  /** The first lines are written. */
  remove(lines: Lines): void
  clear(): void
}

export type Lines = { readonly count: number; readonly bytes: Uint8Array }

type Batch = {
  readonly bytes: Buffer
  /** Where each line ends, its line break included. */
  readonly ends: number[]
  /** Lines that were removed already. */
  removed: number
}

const lineFeed = 10

/** Where the first `lines` lines end. */
const endOf = ({ ends }: Batch, lines: number): number => ends[lines - 1] ?? 0

/**
 * @param mostBytes of all lines that may wait, line breaks included
 * @param batchBytes of a batch; a longer line has one of its own
 */
export function createLineQueue(mostBytes: number, batchBytes: number): LineQueue {
  /** Oldest first, none empty; lines are added to the last. */
  const batches: Batch[] = []
  /** The bytes of a batch that is written, for the next one. */
  let spare: Buffer | undefined
  let lines = 0
  let bytes = 0

  function batchFor(size: number): Batch {
    const last = batches.at(-1)
    if (last !== undefined && endOf(last, last.ends.length) + size <= last.bytes.length) return last
    const room =
      (size <= batchBytes ? spare : undefined) ?? Buffer.allocUnsafeSlow(Math.max(size, batchBytes))
    if (room === spare) spare = undefined
    const batch: Batch = { bytes: room, ends: [], removed: 0 }
    batches.push(batch)
    return batch
  }

  return {
    get lines() {
      return lines
    },
    get hasFull() {
      return batches.length > 1
    },
    get next() {
      const [first] = batches
      return first === undefined ? 0 : endOf(first, first.removed + 1) - endOf(first, first.removed)
    },
    add(line) {
      const size = Buffer.byteLength(line) + 1
      if (bytes + size > mostBytes) return false
      const batch = batchFor(size)
      const at = endOf(batch, batch.ends.length)
      batch.bytes[at + batch.bytes.write(line, at)] = lineFeed
      batch.ends.push(at + size)
      lines++
      bytes += size
      return true
    },
    peek(room) {
      const [first] = batches
      if (first === undefined) return undefined
      const { ends, removed } = first
      const start = endOf(first, removed)
      let to = ends.length
      while (to > removed + 1 && endOf(first, to) - start > room) to--
      return { count: to - removed, bytes: first.bytes.subarray(start, endOf(first, to)) }
    },
    remove({ count, bytes: gone }) {
      const [first] = batches
      if (first === undefined) return
      first.removed += count
      lines -= count
      bytes -= gone.length
      if (first.removed < first.ends.length) return
      batches.shift()
      if (first.bytes.length === batchBytes) spare = first.bytes
    },
    clear() {
      batches.length = 0
      lines = 0
      bytes = 0
    },
  }
}
