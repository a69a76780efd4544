// "Did you mean …?": the known word that is nearest to a mistyped one.

/** Long words are not compared: they are never typing errors, and the cost is quadratic. */
const longest = 64
/** Nor are all words of a long list: ten thousand wrong references to ten thousand entries must not take minutes. */
const mostWords = 300

/** What is left of two words without the beginning and the end that they share. */
function unlike(a: string, b: string): readonly [string, string] {
  const most = Math.min(a.length, b.length)
  let start = 0
  while (start < most && a[start] === b[start]) start++
  let end = 0
  while (end < most - start && a.at(-1 - end) === b.at(-1 - end)) end++
  return [a.slice(start, a.length - end), b.slice(start, b.length - end)]
}

/** Steps (insert, delete, replace, swap neighbours) between two words; Infinity when there are `limit` or more. */
function distance(wordA: string, wordB: string, limit: number): number {
  const [a, b] = unlike(wordA, wordB)
  if (Math.abs(a.length - b.length) >= limit) return Infinity
  const width = b.length + 1
  // Row i, column j: steps from the first i characters of a to the first j of b.
  const steps = new Uint8Array((a.length + 1) * width)
  const at = (i: number, j: number): number => steps[i * width + j] ?? 0
  for (let j = 0; j < width; j++) steps[j] = j
  for (let i = 1; i <= a.length; i++) {
    steps[i * width] = i
    let least = i
    for (let j = 1; j < width; j++) {
      let best = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      best = Math.min(best, at(i - 1, j) + 1, at(i, j - 1) + 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) best = Math.min(best, at(i - 2, j - 2) + 1)
      steps[i * width + j] = best
      least = Math.min(least, best)
    }
    if (least >= limit) return Infinity
  }
  return at(a.length, b.length)
}

/** The word at most a third of its length away, or undefined. Case does not count. */
export function closest(word: string, words: Iterable<string>): string | undefined {
  if (word.length > longest) return undefined
  const lower = word.toLowerCase()
  let best: string | undefined
  let bestDistance = Math.floor(Math.max(word.length, 3) / 3) + 1
  let compared = 0
  for (const candidate of words) {
    if (++compared > mostWords) break
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue
    const steps = distance(lower, candidate.toLowerCase(), bestDistance)
    if (steps < bestDistance) {
      best = candidate
      bestDistance = steps
    }
  }
  return best
}
