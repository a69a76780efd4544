// Which of many lists of strings a text has something of: one pass over its bytes, however many strings there are (Aho and
// Corasick, Efficient String Matching, CACM 18/6, as one table of transitions). RE2's sets remember in their states what
// was found so far, so that hundreds of strings in one set would make a new automaton for every combination.

/** Case is ignored for ASCII letters. */
export type FactorScan = {
  /** Adds to `found` the places of lists of which a string is in the text, each once. */
  scan(text: Uint8Array, found: Set<number>): void
}

const fold = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte)

/** Strings must be ASCII and not empty. The table has at most 65,536 states: one per character of all strings, and the start. */
export function createFactorScan(lists: readonly (readonly string[])[]): FactorScan {
  const words = lists.flatMap((list, place) =>
    list.map((word) => ({ place, bytes: [...Buffer.from(word, 'latin1')].map(fold) })),
  )
  const used = [...new Set(words.flatMap(({ bytes }) => bytes))]
  // Class 0: bytes that no string has.
  const width = used.length + 1
  const classes = new Uint8Array(256)
  used.forEach((byte, i) => {
    classes[byte] = i + 1
    if (byte >= 0x61 && byte <= 0x7a) classes[byte - 0x20] = i + 1
  })

  const most = 1 + words.reduce((sum, { bytes }) => sum + bytes.length, 0)
  if (most > 65_536) throw new RangeError(`${String(most)} states are too many`)
  const next = new Uint16Array(most * width)
  const ends: (Set<number> | undefined)[] = []
  let states = 1
  for (const { bytes, place } of words) {
    let state = 0
    for (const byte of bytes) {
      const at = state * width + (classes[byte] ?? 0)
      next[at] ||= states++
      state = next[at] ?? 0
    }
    ends[state] = (ends[state] ?? new Set()).add(place)
  }

  // Breadth first: where a string breaks off, its longest end that begins another string goes on.
  const fallback = new Uint16Array(states)
  const queue = [0]
  for (let head = 0; head < queue.length; head++) {
    const state = queue[head] ?? 0
    const behind = fallback[state] ?? 0
    if (state !== 0 && ends[behind] !== undefined)
      ends[state] = new Set([...(ends[state] ?? []), ...(ends[behind] ?? [])])
    for (let c = 1; c < width; c++) {
      const at = state * width + c
      const other = state === 0 ? 0 : (next[behind * width + c] ?? 0)
      const child = next[at] ?? 0
      if (child === 0) next[at] = other
      else {
        fallback[child] = other
        queue.push(child)
      }
    }
  }
  const isEnd = Uint8Array.from({ length: states }, (_, state) => (ends[state] === undefined ? 0 : 1))

  return {
    scan(text, found) {
      let state = 0
      for (let i = 0; i < text.length; i++) {
        state = next[state * width + (classes[text[i] ?? 0] ?? 0)] ?? 0
        if (isEnd[state] === 0) continue
        for (const place of ends[state] ?? []) found.add(place)
        if (found.size === lists.length) return
      }
    },
  }
}
