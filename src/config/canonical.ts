// One text for equal documents, however they are spelled: for their revision, and for what is sent to filters.

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, ordered(inner)]),
  )
}

/** JSON with the keys of every object in order. */
export const canonicalJson = (value: unknown): string => JSON.stringify(ordered(value))
