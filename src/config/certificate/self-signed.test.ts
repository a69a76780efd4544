import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { newSerial, selfSigned } from './self-signed.ts'

describe('The placeholder', () => {
  test('signs itself', () => {
    const { chain, key } = selfSigned('Weir placeholder')
    const certificate = new X509Certificate(chain)
    expect(certificate.checkIssued(certificate)).toBe(true)
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----/)
  })

  test.each([0x00, 0x01, 0x7f, 0x80, 0xff])(
    'has a serial number in its shortest form, whatever was drawn (%i)',
    (first) => {
      const serial = newSerial(Buffer.from([first, 0, ...Array.from({ length: 14 }, () => 0x55)]))
      expect(serial).toMatch(/^[4-7][0-9a-f]{31}$/)
    },
  )
})
