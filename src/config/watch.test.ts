// A watched folder, changed in the ways in which editors, deployments and ConfigMaps change it. Tests wait for the
// call itself; how long it takes is not asserted.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LoadResult } from './load.ts'
import { type Watch, watchFolder } from './watch.ts'

const actions = (...ids: readonly string[]): string => JSON.stringify(ids.map((id) => ({ id, type: 'skip' })))

/** What was seen: the actions of the operator, or the reasons. */
function seen(result: LoadResult): string {
  if (!result.ok) return result.problems.map(({ reason }) => reason).join('; ')
  return [...result.policy.actions.keys()].filter((id) => !id.startsWith('action-')).join(' ')
}

let root = ''
let watch: Watch | undefined
let calls: string[] = []
let errors: unknown[] = []
let waiting: (() => void) | undefined

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'weir-watch-')))
  calls = []
  errors = []
})
afterEach(() => {
  watch?.stop()
  rmSync(root, { recursive: true, force: true })
})

function start(folder: string): void {
  watch = watchFolder(
    folder,
    {},
    {
      onChange: (result) => {
        calls.push(seen(result))
        waiting?.()
      },
      onError: (error) => errors.push(error),
    },
  )
}

/** Resolves as soon as the last thing seen is `expected`; steps in between are not counted. */
const until = (expected: string): Promise<void> =>
  new Promise((resolve) => {
    waiting = () => {
      if (calls.at(-1) === expected) resolve()
    }
    waiting()
  })

describe('a watched folder', () => {
  const write = (text: string): void => writeFileSync(join(root, 'actions.json'), text)

  test('a file is edited', async () => {
    write(actions('a'))
    start(root)
    write(actions('b'))
    await until('b')
    expect(errors).toEqual([])
  })

  test('a file is replaced by rename, as editors do, again and again', async () => {
    write(actions('a'))
    start(root)
    for (const id of ['b', 'c', 'd']) {
      writeFileSync(join(root, '.new'), actions(id))
      renameSync(join(root, '.new'), join(root, 'actions.json'))
      await until(id)
    }
    expect(calls).toEqual(['b', 'c', 'd'])
  })

  test('a file comes and goes', async () => {
    write(actions('a'))
    start(root)
    writeFileSync(join(root, 'global-filters.yaml'), 'oops: 1\n')
    await until('must be a list of entries')
    rmSync(join(root, 'global-filters.yaml'))
    await until('a')
  })

  test('is broken and then mended', async () => {
    write(actions('a'))
    start(root)
    write('[')
    await until('invalid JSON at line 1, column 2: expected a value or "]", found the end of the file')
    write(actions('a', 'b'))
    await until('a b')
  })

  test('the links of a ConfigMap are swapped', async () => {
    const version = (name: string, id: string): void => {
      mkdirSync(join(root, name))
      writeFileSync(join(root, name, 'actions.json'), actions(id))
      symlinkSync(name, join(root, '..data_tmp'))
      renameSync(join(root, '..data_tmp'), join(root, '..data'))
    }
    version('..2026_01', 'a')
    symlinkSync('..data/actions.json', join(root, 'actions.json'))
    start(root)
    for (const id of ['b', 'c']) {
      version(`..2026_${id}`, id)
      await until(id)
    }
    expect(calls).toEqual(['b', 'c'])
  })

  test('the folder itself is a link that is swapped, and the new one is watched', async () => {
    const release = (name: string, id: string): void => {
      mkdirSync(join(root, name))
      writeFileSync(join(root, name, 'actions.json'), actions(id))
      symlinkSync(name, join(root, 'next'))
      renameSync(join(root, 'next'), join(root, 'current'))
    }
    release('r1', 'a')
    start(join(root, 'current'))
    release('r2', 'b')
    await until('b')
    writeFileSync(join(root, 'r2', 'actions.json'), actions('c'))
    await until('c')
  })

  test('the folder is taken away and comes back', async () => {
    const folder = join(root, 'conf')
    mkdirSync(folder)
    writeFileSync(join(folder, 'actions.json'), actions('a'))
    start(folder)
    renameSync(folder, join(root, 'away'))
    await until('the folder cannot be read: it does not exist, or is a link to what does not')
    renameSync(join(root, 'away'), folder)
    await until('a')
    // What onChange has told is not told again as a failure to watch.
    expect(errors).toEqual([])
  })

  test('time stamps and neighbours change nothing', async () => {
    write(actions('a'))
    start(root)
    utimesSync(join(root, 'actions.json'), 1, 1)
    writeFileSync(join(root, 'notes.swp~'), 'x')
    write(actions('a'))
    // What is seen next is the real change, and nothing before it.
    write(actions('b'))
    await until('b')
    expect(calls).toEqual(['b'])
  })

  test('nothing is told after the end', async () => {
    write(actions('a'))
    start(root)
    write(actions('b'))
    watch?.stop()
    const other = root
    const second: string[] = []
    await new Promise<void>((resolve) => {
      watch = watchFolder(
        other,
        {},
        {
          onChange: (result) => {
            second.push(seen(result))
            resolve()
          },
          onError: () => {},
        },
      )
      write(actions('c'))
    })
    expect([calls, second]).toEqual([[], ['c']])
  })
})
