// The cookies by which Weir knows a visitor again (spec bots-and-users 1.10). Until one of them is proven genuine it is an
// ordinary cookie to every stage, and stays away from the origin: a backend must not meet a forged proof, and has no use
// for a genuine one. Nothing proves them yet, so all of them stay away.

/** The visitor's identity, the proof of a person, the interactive pass, and the page's own loop counter. */
export const proofCookies: ReadonlySet<string> = new Set(['waap_id', 'waap_hp', 'waap_ic', 'waap_tr'])

/** What all their names begin with: a cheap first look. */
const prefix = 'waap_'

/** Servers differ in which blanks around a name they mind, so a name with some is taken for the name. */
const nameOf = (piece: string): string => {
  const equals = piece.indexOf('=')
  return (equals < 0 ? piece : piece.slice(0, equals)).trim()
}

/** A `cookie` header without the proofs, other cookies as they were; the same text where there are none. */
export function withoutProofs(cookies: string): string {
  if (!cookies.includes(prefix)) return cookies
  const pieces = cookies.split(';')
  const kept = pieces.filter((piece) => !proofCookies.has(nameOf(piece)))
  return kept.length === pieces.length ? cookies : kept.join(';').trim()
}
