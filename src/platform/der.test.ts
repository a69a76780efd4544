// Reading DER: what certificates and revocation lists are made of, and that nothing is read beyond its end.
import { describe, expect, test } from '@jest/globals'
import { DerError, cursorIn, elementAt, elementsIn, integerOf, normaliseSerial, timeOf } from './der.ts'

const bytesOf = (hex: string): Buffer => Buffer.from(hex, 'hex')

describe('elements', () => {
  test.each([
    ['a short length', '0201ff', { tag: 2, from: 0, start: 2, end: 3 }],
    ['no content', '0500', { tag: 5, from: 0, start: 2, end: 2 }],
    ['a length of one byte', `048180${'00'.repeat(128)}`, { tag: 4, from: 0, start: 3, end: 131 }],
    ['a length of two bytes', `04820100${'00'.repeat(256)}`, { tag: 4, from: 0, start: 4, end: 260 }],
    ['more bytes behind it', '020101ffff', { tag: 2, from: 0, start: 2, end: 3 }],
  ])('%s', (_what, hex, expected) => {
    expect(elementAt(bytesOf(hex), 0)).toEqual(expected)
  })

  test.each([
    ['nothing', '', 'ends too early'],
    ['a tag alone', '30', 'ends inside a length'],
    ['half a length', '3082ff', 'has a length beyond its end'],
    ['a length of five bytes', '30850000000001ff', 'has a length beyond its end'],
    ['no stated length', '3080', 'has a length that is not stated'],
    ['less than its length', '300201', 'has an element that is longer than what holds it'],
    ['four gigabytes', '3084ffffffff00', 'has an element that is longer than what holds it'],
    ['a long tag', '1f8100', 'has a tag of several bytes'],
  ])('%s is refused', (_what, hex, message) => {
    expect(() => elementAt(bytesOf(hex), 0)).toThrow(new DerError(message))
  })

  test('are read in order, and not beyond what holds them', () => {
    const bytes = bytesOf('3006020101050004ff')
    const outer = elementAt(bytes, 0, 8)
    expect(() => elementsIn(bytes, outer)).toThrow(DerError)
    const cursor = cursorIn(bytes, { start: 2, end: 7 })
    expect(cursor.maybe(0x04)).toBeUndefined()
    expect(cursor.take(0x02)).toMatchObject({ start: 4, end: 5 })
    expect(() => cursor.take(0x02)).toThrow(new DerError('lacks an element of tag 2'))
    expect(cursor.take(0x05)).toMatchObject({ start: 7, end: 7 })
    expect(cursor.peek()).toBeUndefined()
  })
})

describe('values', () => {
  test.each([
    ['020100', '0'],
    ['02017f', '7F'],
    ['02020080', '80'],
    ['02030a11ce', 'A11CE'],
    ['0201ff', '-1'],
    ['0202ff38', '-C8'],
  ])('integer %s is %s', (hex, expected) => {
    const bytes = bytesOf(hex)
    expect(integerOf(bytes, elementAt(bytes, 0))).toBe(expected)
  })

  test.each([
    ['0A11CE', 'A11CE'],
    ['0a11ce', 'A11CE'],
    ['00', '0'],
    ['', '0'],
    ['-0A', '-A'],
  ])('serial number %s is %s', (hex, expected) => {
    expect(normaliseSerial(hex)).toBe(expected)
  })

  const time = (tag: number, text: string): number => {
    const bytes = Buffer.from([tag, text.length, ...Buffer.from(text)])
    return timeOf(bytes, elementAt(bytes, 0))
  }
  test.each([
    [0x17, '261121103000Z', '2026-11-21T10:30:00Z'],
    [0x17, '491231235959Z', '2049-12-31T23:59:59Z'],
    [0x17, '500101000000Z', '1950-01-01T00:00:00Z'],
    [0x18, '20510101000000Z', '2051-01-01T00:00:00Z'],
  ])('time %i %s', (tag, text, expected) => {
    expect(time(tag, text)).toBe(Date.parse(expected))
  })
  test.each([
    [0x17, '2611211030Z'],
    [0x17, '261121103000+0100'],
    [0x18, '20510101000000.5Z'],
    [0x18, ''],
  ])('time %i %s is refused', (tag, text) => {
    expect(() => time(tag, text)).toThrow(DerError)
  })
})
