// What is left of a cookie header (spec pipeline 1.6).
import { expect, test } from '@jest/globals'
import { withoutProofs } from './proof-cookies.ts'

const rows: readonly (readonly [says: string, sent: string, kept: string])[] = [
  ['other cookies stay as they were', 'a=1;  b="x y" ; c', 'a=1;  b="x y" ; c'],
  ['all four proofs go', 'waap_id=i.m; waap_hp=1.k.p.m; waap_ic=2; waap_tr=3', ''],
  ['the others stay in order', 'a=1; waap_hp=x; b=2', 'a=1; b=2'],
  ['at either end', 'waap_id=x; a=1; waap_ic=y', 'a=1'],
  ['every occurrence', 'waap_hp=x; a=1; waap_hp=y', 'a=1'],
  ['without a value', 'waap_hp; a=1', 'a=1'],
  ['with blanks that some servers drop', '\twaap_hp =x;a=1', 'a=1'],
  ['names are case-sensitive', 'WAAP_HP=x', 'WAAP_HP=x'],
  ['longer and shorter names are other cookies', 'waap_hp2=x; waap_=y', 'waap_hp2=x; waap_=y'],
  ['a value may hold the name', 'a=waap_hp=1; b=waap_id', 'a=waap_hp=1; b=waap_id'],
  ['empty pieces are no cookies', ';;', ';;'],
]
test.each(rows)('%s', (_, sent, kept) => {
  expect(withoutProofs(sent)).toBe(kept)
})
