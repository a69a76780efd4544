// The two kinds of patches, by the examples and the rules of their standards.
import { describe, expect, test } from '@jest/globals'
import type { Json, PatchOperation } from '#config'
import { PatchFailed, jsonPatch } from './json-patch.ts'
import { mergePatch } from './merge-patch.ts'

describe('a merge patch (RFC 7396)', () => {
  const rows: readonly (readonly [string, Json, Json, Json])[] = [
    ['replaces a value', { a: 'b' }, { a: 'c' }, { a: 'c' }],
    ['adds a field', { a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    ['takes away what is null', { a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    ['replaces lists whole', { a: ['b'] }, { a: ['c', 'd'] }, { a: ['c', 'd'] }],
    ['merges what is inside', { a: { b: 'c', d: 'e' } }, { a: { b: 'd', d: null } }, { a: { b: 'd' } }],
    ['replaces what was no object', { a: 'c' }, { a: { b: 1 } }, { a: { b: 1 } }],
    ['leaves no null in what it adds', {}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    ['that is no object replaces all', { a: 'b' }, ['c'], ['c']],
    [
      'keeps odd names what they are',
      {},
      JSON.parse('{"__proto__":{"x":1}}') as Json,
      JSON.parse('{"__proto__":{"x":1}}') as Json,
    ],
  ]
  test.each(rows)('%s', (_says, target, patch, result) => {
    expect(JSON.stringify(mergePatch(target as never, patch as never))).toBe(JSON.stringify(result))
  })
})

describe('a JSON patch (RFC 6902)', () => {
  const rows: readonly (readonly [string, Json, readonly PatchOperation[], Json])[] = [
    ['adds a member', { a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    ['adds before an element', [1, 3], [{ op: 'add', path: '/1', value: 2 }], [1, 2, 3]],
    ['adds at the end', { a: [1] }, [{ op: 'add', path: '/a/-', value: [2] }], { a: [1, [2]] }],
    ['adds over what is there', { a: 1 }, [{ op: 'add', path: '/a', value: 2 }], { a: 2 }],
    ['removes a member', { a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
    ['removes an element', { a: [1, 2] }, [{ op: 'remove', path: '/a/0' }], { a: [2] }],
    ['replaces', { a: { b: 1 } }, [{ op: 'replace', path: '/a/b', value: null }], { a: { b: null } }],
    ['moves', { a: { b: 1 }, c: {} }, [{ op: 'move', from: '/a/b', path: '/c/d' }], { a: {}, c: { d: 1 } }],
    ['moves an element', [1, 2, 3], [{ op: 'move', from: '/0', path: '/2' }], [2, 3, 1]],
    ['copies', { a: [1] }, [{ op: 'copy', from: '/a', path: '/b' }], { a: [1], b: [1] }],
    [
      'tests by value',
      { a: { x: 1, y: 2 } },
      [{ op: 'test', path: '/a', value: { y: 2, x: 1 } }],
      { a: { x: 1, y: 2 } },
    ],
    [
      'reads ~1 and ~0',
      { 'a/b': 1, 'm~n': 2 },
      [
        { op: 'remove', path: '/a~1b' },
        { op: 'remove', path: '/m~0n' },
      ],
      {},
    ],
    ['of the whole document', { a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], { b: 2 }],
    ['ignores no operation', { a: 1 }, [], { a: 1 }],
  ]
  test.each(rows)('%s', (_says, document, operations, result) => {
    expect(jsonPatch(document as never, operations)).toEqual(result)
  })

  const failures: readonly (readonly [string, Json, PatchOperation, string])[] = [
    ['a member that is not there cannot go', {}, { op: 'remove', path: '/a' }, '/a'],
    ['nor be replaced', { a: {} }, { op: 'replace', path: '/a/b', value: 1 }, '/a/b'],
    ['nothing is added below nothing', {}, { op: 'add', path: '/a/b', value: 1 }, '/a'],
    ['nothing is added behind the end', [1], { op: 'add', path: '/2', value: 1 }, '/2'],
    ['01 is no element', [1, 2], { op: 'replace', path: '/01', value: 1 }, '/01'],
    ['a test that does not hold ends the patch', { a: 1 }, { op: 'test', path: '/a', value: '1' }, '/a'],
    ['nothing moves into itself', { a: { b: {} } }, { op: 'move', from: '/a', path: '/a/b/c' }, '/a/b/c'],
    ['inherited names are no members', {}, { op: 'test', path: '/constructor', value: 1 }, '/constructor'],
  ]
  test.each(failures)('%s', (_says, document, operation, pointer) => {
    const run = (): unknown => jsonPatch(document as never, [operation])
    expect(run).toThrow(PatchFailed)
    expect(run).toThrow(expect.objectContaining({ pointer }))
  })
})
