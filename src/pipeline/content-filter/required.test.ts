import { describe, expect, test } from '@jest/globals'
import { analyse, factorsOfPattern } from './required.ts'

describe('What a text must contain for a rule to match', () => {
  test.each([
    ['select', 'a rule without distance is looked for itself'],
    ['[^a]{1,4}', 'a short distance counts as none'],
    [String.raw`\s*union\s+select`, 'nor does white space'],
    ['', 'an empty rule'],
  ])('near: %s (%s)', (pattern) => {
    expect(analyse(pattern)).toEqual({ kind: 'near' })
  })

  test.each([
    ['union.*from', 'union', 'the more telling of two stretches'],
    [String.raw`\A[^'"]*'\s*or\s`, String.raw`'\s*or\s`, 'what follows a distance'],
    ['(?:exec|select.+from)', '(?:exec|select)', 'one part per alternative'],
    ['exec|select.+from', '(?:exec|select)', 'also at the top'],
    ['(?:drop[^;]*table)+', 'table', 'what a group requires'],
    ['(?i:union).*x', '(?i:union)', 'a group keeps its flags'],
    ['(?P<a>into.*x)outfile', 'outfile', 'names of groups'],
    [String.raw`(?:evil.*x)?\$\{jndi.*`, String.raw`\$\{jndi`, 'an optional group requires nothing'],
    ['[a-z]{0,3}script[^>]{9,}', '[a-z]{0,3}script', 'a repetition stays with its stretch'],
    ['a.{2,}bcdef', 'bcdef', 'an open repetition of anything'],
    [String.raw`[\]"'].*passwd`, 'passwd', 'a bracket in a class'],
    [String.raw`\x{fffd}abc.*`, String.raw`\x{fffd}abc`, 'an escape in braces'],
  ])('far: %s requires %s (%s)', (pattern, part) => {
    expect(analyse(pattern)).toEqual({ kind: 'far', part })
  })

  test.each([
    ['.*', 'nothing is required'],
    [`['"].*[;,]`, 'a quote is in too many texts'],
    ['exec|.*', 'one alternative requires nothing'],
    ['(?i)union.*from', 'flags that change what follows'],
    [String.raw`\Qa.b\E.*union`, 'quoted text'],
    ['(?i:union.*select)', 'what stands inside such a group would lose them'],
  ])('unknown: %s (%s)', (pattern) => {
    expect(analyse(pattern)).toEqual({ kind: 'unknown' })
  })
})

describe('Strings of which a match contains one', () => {
  test.each<readonly [string, readonly string[], string]>([
    ['union.*from', ['union'], 'the longest run of characters'],
    [String.raw`\bunion\b\s+select`, ['select'], 'places between characters do not count'],
    [String.raw`\$\{jndi:`, ['${jndi:'], 'escaped characters'],
    [String.raw`x\x41\x{42}c.`, ['xABc'], 'characters by their numbers'],
    ['(?:exec|drop table).x', ['exec', 'drop table'], 'one of each alternative'],
    ['exec|select', ['exec', 'select'], 'also at the top'],
    ['(?:abc)?wxyz', ['wxyz'], 'nothing optional'],
    ['(?:abc){2,}w', ['abc'], 'what is repeated at least once'],
    [String.raw`['"]\s*or`, ["'", '"'], 'the marks of a class'],
    ['<a', ['<a'], 'a mark makes a short one rare enough'],
  ])('%s: %j (%s)', (pattern, factors) => {
    expect(factorsOfPattern(pattern)).toEqual(factors)
  })

  test.each([
    [String.raw`\d+`, 'no characters'],
    ['or', 'too short to tell anything'],
    ['select|or', 'one alternative has none'],
    ['[a-z]{9}', 'a range is no list'],
    ['[^x]', 'nor is everything else'],
    ['(?i)select', 'flags that change what follows'],
    [String.raw`\Qa.b\E`, 'quoted text'],
    [String.raw`\u003cscript`, 'an escape that the compiler translates'],
    [String.raw`\cJ<x`, 'a control character by its letter'],
    [String.raw`\p{Script=Greek}abc`, 'a class that it translates'],
  ])('%s: none (%s)', (pattern) => {
    expect(factorsOfPattern(pattern)).toBeUndefined()
  })
})
