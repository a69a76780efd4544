// The rooms of src/ and who may use whom (docs/architecture.md shows the same list as a drawing). Read from the
// sources themselves, so that an arrow drawn the wrong way fails here and not in somebody's head. Cycles between
// rooms cannot arise from such a table; cycles between the files of one room are looked for one by one.
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parseSync } from '@swc/core'

/** From the top of the house to the bottom; a room may use those that are named, all of which stand below it. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  cli: ['control', 'traffic', 'envoy', 'pipeline', 'challenge', 'state', 'request', 'config', 'platform'],
  control: ['traffic', 'envoy', 'pipeline', 'challenge', 'state', 'request', 'config', 'platform'],
  traffic: ['envoy', 'pipeline', 'request', 'config', 'platform'],
  envoy: ['pipeline', 'state', 'request', 'config', 'platform'],
  pipeline: ['challenge', 'state', 'request', 'config', 'platform'],
  challenge: ['state', 'request', 'config', 'platform'],
  state: ['config', 'platform'],
  request: ['config', 'platform'],
  config: ['platform'],
  platform: [],
}

/** One source file: its path below src/ with `/` between the parts, and its text. */
type Source = { readonly path: string; readonly text: string }

/** What a file imports; `types` is an import that is gone when the program runs. */
type Import = { readonly from: string; readonly to: string; readonly types: boolean }

function importsOf({ path, text }: Source): readonly Import[] {
  const { body } = parseSync(text, { syntax: 'typescript', target: 'es2024' })
  const found: Import[] = []
  for (const item of body) {
    if (item.type === 'ImportDeclaration')
      found.push({ from: path, to: item.source.value, types: item.typeOnly })
    if (item.type === 'ExportNamedDeclaration' && item.source)
      found.push({ from: path, to: item.source.value, types: item.typeOnly })
    if (item.type === 'ExportAllDeclaration') found.push({ from: path, to: item.source.value, types: false })
  }
  for (const [, to = ''] of text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g))
    found.push({ from: path, to, types: false })
  return found
}

const roomOf = (path: string): string => path.split('/', 1)[0] ?? ''

/** What is wrong with one import, or undefined. */
function objection({ from, to }: Import): string | undefined {
  const room = roomOf(from)
  if (to.startsWith('#')) {
    const other = to.slice(1)
    if (other === room) return `${from} imports its own room by ${to}; insiders use relative paths`
    return rooms[room]?.includes(other) ? undefined : `${from} must not import ${to}`
  }
  if (!to.startsWith('.')) return undefined
  const target = join(dirname(from), to).split(sep).join('/')
  if (target === `${room}/index.ts`)
    return `${from} imports its own room's index.ts; insiders import the file`
  if (roomOf(target) !== room) return `${from} imports ${to}; other rooms only by their #name`
  return undefined
}

/** Cycles of imports that exist when the program runs, each as the files on its way round. */
function cycles(imports: readonly Import[]): readonly string[] {
  const next = new Map<string, string[]>()
  for (const { from, to, types } of imports)
    if (!types && to.startsWith('.')) {
      const target = join(dirname(from), to).split(sep).join('/')
      next.set(from, [...(next.get(from) ?? []), target])
    }
  const found: string[] = []
  const finished = new Set<string>()
  const visit = (path: string, way: readonly string[]): void => {
    const at = way.indexOf(path)
    if (at !== -1) found.push([...way.slice(at), path].join(' > '))
    if (at !== -1 || finished.has(path)) return
    for (const target of next.get(path) ?? []) visit(target, [...way, path])
    finished.add(path)
  }
  for (const path of next.keys()) visit(path, [])
  return found
}

function objections(sources: readonly Source[]): readonly string[] {
  const unknown = [...new Set(sources.map(({ path }) => roomOf(path)))]
    .filter((room) => !(room in rooms))
    .map((room) => `src/${room} is not in the table of rooms`)
  const imports = sources.flatMap(importsOf)
  const wrong = imports.map(objection).filter((text) => text !== undefined)
  return [...unknown, ...wrong, ...cycles(imports).map((cycle) => `cycle: ${cycle}`)]
}

const src = join(import.meta.dirname, '..', 'src')

function sourcesOfWeir(): readonly Source[] {
  return readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: relative(src, file).split(sep).join('/'), text: readFileSync(file, 'utf8') }))
}

describe('the rooms of src/', () => {
  test('every room uses only rooms below it, by their face, and no file imports itself by a detour', () => {
    const sources = sourcesOfWeir()
    expect(sources.length).toBeGreaterThan(10)
    expect(objections(sources)).toEqual([])
  })

  test('the table points downwards only', () => {
    const order = Object.keys(rooms)
    const upwards = Object.entries(rooms).flatMap(([room, used]) =>
      used
        .filter((other) => order.indexOf(other) <= order.indexOf(room))
        .map((other) => `${room} > ${other}`),
    )
    expect(upwards).toEqual([])
  })

  test('package.json gives every room below the top its #name', () => {
    const text = readFileSync(join(src, '..', 'package.json'), 'utf8')
    const { imports } = JSON.parse(text) as { readonly imports: Readonly<Record<string, string>> }
    const [, ...below] = Object.keys(rooms)
    expect(imports).toEqual(Object.fromEntries(below.map((room) => [`#${room}`, `./src/${room}/index.ts`])))
  })
})

describe('what the test of the rooms finds', () => {
  const rows: readonly (readonly [string, readonly Source[], readonly string[]])[] = [
    [
      'an import downwards is fine',
      [{ path: 'pipeline/a.ts', text: "import { x } from '#state'\nexport const a = x" }],
      [],
    ],
    [
      'an import upwards is not',
      [{ path: 'state/a.ts', text: "import { x } from '#pipeline'\nexport const a = x" }],
      ['state/a.ts must not import #pipeline'],
    ],
    [
      'not even of a type',
      [{ path: 'config/a.ts', text: "import type { X } from '#request'\nexport type A = X" }],
      ['config/a.ts must not import #request'],
    ],
    [
      'nor by handing it on',
      [{ path: 'platform/a.ts', text: "export { x } from '#config'" }],
      ['platform/a.ts must not import #config'],
    ],
    [
      'nor when it is loaded late',
      [{ path: 'platform/a.ts', text: "export const a = () => import('#config')" }],
      ['platform/a.ts must not import #config'],
    ],
    [
      'a neighbour is not reached by its path',
      [
        {
          path: 'pipeline/stages/a.ts',
          text: "import { x } from '../../state/memory.ts'\nexport const a = x",
        },
      ],
      ['pipeline/stages/a.ts imports ../../state/memory.ts; other rooms only by their #name'],
    ],
    [
      'nor is the own room by its name',
      [{ path: 'state/a.ts', text: "import { x } from '#state'\nexport const a = x" }],
      ['state/a.ts imports its own room by #state; insiders use relative paths'],
    ],
    [
      'nor by its index',
      [{ path: 'state/memory/a.ts', text: "import { x } from '../index.ts'\nexport const a = x" }],
      ["state/memory/a.ts imports its own room's index.ts; insiders import the file"],
    ],
    [
      'a new room has to be entered in the table',
      [{ path: 'attic/a.ts', text: 'export const a = 1' }],
      ['src/attic is not in the table of rooms'],
    ],
    [
      'files that import each other in a ring are a cycle',
      [
        { path: 'state/a.ts', text: "import { b } from './b.ts'\nexport const a = () => b" },
        { path: 'state/b.ts', text: "export { c as b } from './c.ts'" },
        { path: 'state/c.ts', text: "import { a } from './a.ts'\nexport const c = () => a" },
      ],
      ['cycle: state/a.ts > state/b.ts > state/c.ts > state/a.ts'],
    ],
    [
      'types may refer to each other',
      [
        { path: 'state/a.ts', text: "import { b } from './b.ts'\nexport type A = typeof b" },
        { path: 'state/b.ts', text: "import type { A } from './a.ts'\nexport const b = (a: A) => a" },
      ],
      [],
    ],
  ]
  test.each(rows)('%s', (_says, sources, found) => {
    expect(objections(sources)).toEqual(found)
  })
})
