// What a connection has to say, written with one call per batch: frames are laid one behind the other into a slab and go to the
// socket together when a read event has been worked through. A system call costs more than an answer does.

const slabBytes = 32 * 1024
/** With less room than this left, a slab is not begun again. */
const worthKeeping = 4 * 1024

export type Outbox = {
  /** Where the next frames are written. Changes with `reserve`. */
  slab: Buffer
  /** Makes room and returns the place in `slab`. */
  reserve(bytes: number): number
  append(bytes: Uint8Array): void
  flush(): void
}

export function createOutbox(write: (bytes: Buffer) => void): Outbox {
  /** `slab` from `begin` to `end` is not written yet. */
  let begin = 0
  let end = 0
  return {
    slab: Buffer.alloc(0),
    reserve(bytes) {
      if (end + bytes > this.slab.length) {
        this.flush()
        if (end + bytes > this.slab.length) {
          this.slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, bytes))
          begin = end = 0
        }
      }
      const at = end
      end += bytes
      return at
    },
    append(bytes) {
      // The place first: `reserve` may change the slab.
      const at = this.reserve(bytes.length)
      this.slab.set(bytes, at)
    },
    flush() {
      if (begin === end) return
      const batch = this.slab.subarray(begin, end)
      begin = end
      if (this.slab.length - end < worthKeeping) {
        this.slab = Buffer.alloc(0)
        begin = end = 0
      }
      write(batch)
    },
  }
}
