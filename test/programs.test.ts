import { expect, test } from '@jest/globals'
import { isNotToBeHad } from './support/programs.ts'

const net = 'golang.org/x/net@v0.42.0'
const file = '/golang.org/x/net/@v/v0.42.0'

test.each([
  [
    'nothing answers',
    `go: ${net}: Get "http://proxy${file}.mod": dial tcp 127.0.0.1:9: connect: connection refused`,
  ],
  ['the proxy has no such module', `go: ${net}: reading http://proxy${file}.mod: 404 Not Found`],
  ['its archive breaks off', `${net}: Get "http://proxy${file}.zip": unexpected EOF`],
  ['nobody may be asked', `go: ${net}: module lookup disabled by GOPROXY=off`],
  [
    'no network',
    `go: ${net}: unrecognized import path "golang.org/x/net": https fetch: Get "https://golang.org"`,
  ],
  ['no repository', `go: ${net}: git ls-remote -q origin in /x: exit status 128:\n\tfatal: could not read`],
  ['a Go that knows no tools', 'go: errors parsing go.mod:\n/peer/go.mod:5: unknown directive: tool'],
  [
    'an old Go',
    "go: errors parsing go.mod:\n/peer/go.mod:3: invalid go version '1.24.0': must match format 1.23",
  ],
  ['a Go that is too old', 'go: go.mod requires go >= 1.99.0 (running go 1.26.8; GOTOOLCHAIN=local)'],
])('a peer is missing: %s', (_says, output) => {
  expect(isNotToBeHad(`go: downloading golang.org/x/sys v0.34.0\n${output}\n`)).toBe(true)
})

const mismatch = `verifying ${net}: checksum mismatch\n\tdownloaded: h1:a=\n\tgo.sum:     h1:b=\n\nSECURITY ERROR`

test.each([
  ['a wrong sum', mismatch],
  [
    'a wrong sum, and another module is not served',
    `go: golang.org/x/sys@v0.34.0: Get "http://proxy"\n${mismatch}`,
  ],
  [
    'a sum that is not there and cannot be asked for',
    `verifying ${net}: ${net}: Get "https://sum.golang.org": EOF`,
  ],
  ['no sum', `${net}: missing go.sum entry for go.mod file; to add it:\n\tgo mod download golang.org/x/net`],
  ['a broken go.sum', 'malformed go.sum:\n/peer/go.sum:37: wrong number of fields 1'],
  ['a broken go.mod', 'go: errors parsing go.mod:\ngo.mod:14: unknown directive: garbage'],
  ['no words', ''],
])('a peer is broken: %s', (_says, output) => {
  expect(isNotToBeHad(`go: downloading golang.org/x/sys v0.34.0\n${output}\n`)).toBe(false)
})
