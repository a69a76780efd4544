// Which texts libinjection has to see at all. Each costs it 2.5 µs and more, and most cannot be hit: what is told here
// follows from how it reads a text and from which of its verdicts are believed (plausible.ts). A verdict on SQL counts only
// if it begins with a string, which takes a quote, or with a number that a statement, a function or a comment follows; one
// on XSS takes a tag or an attribute. suspicion.test.ts tries to refute this with the library itself.
import { windows } from './libinjection.ts'
import { isContraction } from './plausible.ts'

/** Strings, comments, ends of statements, escapes, tags and attributes begin with one of these. */
const telling = /['"\x60$\\#;{<=]|--|\/\*/

/**
 * Words that the library passes over before the first word that counts, or reads as a number: types of SQL, whatever digits
 * follow. Names of character sets before a literal (`_utf8`) are more of them, hence no underscore below.
 */
const passedOver =
  'not|true|false|null|cstring|void|any\\w*|(?:big|small|tiny|medium)?int(?:eger)?|(?:big|small)?serial|(?:n?var|n)?char2?(?:acter)?|(?:n|tiny|medium|long)?text|(?:var)?binary|bool(?:ean)?|bytea|date(?:time)?|dec(?:imal)?|double|float|(?:small)?money|number|numeric|oid|real|reg\\w+|timestamp|time|unsigned|varying'

/** A word that is none of these, or the slash of a path: whatever follows, the first token is a bare word or an operator. */
const wordFirst = new RegExp(
  `^[\\t\\n\\v\\f\\r ]*(?:/|(?!(?:${passedOver})(?![a-z]))[a-z\\u0080-\\uffff])`,
  'i',
)

const anyWord = /[a-z]{2}/i

const mayHit = (text: string): boolean => telling.test(text) || (anyWord.test(text) && !wordFirst.test(text))

const markup = /[<=]/

/** Whether libinjection may find something in the text that would be believed. */
export const mayInject = (text: string): boolean =>
  windows(text).some(mayHit) && (markup.test(text) || !isContraction(text))
