import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { silentLog } from '#platform'
import { followJournal, readTail } from './journal-reader.ts'
import { type Journal, type JournalOptions, openJournal } from './journal.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-journal-'))
  file = join(folder, 'deep', 'events.jsonl')
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const open = (options: Partial<JournalOptions> = {}): Journal =>
  openJournal({ file, maxBytes: 1000, keep: 2, log: silentLog, retryMs: 20, delayMs: 1, ...options })

const linesOf = (path: string): readonly string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1)
const line = (n: number): string => JSON.stringify({ n, text: 'x'.repeat(80) })
const lines = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, i) => line(from + i))

async function until(what: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!what()) {
    if (Date.now() > deadline) throw new Error('did not happen within a minute')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('writing', () => {
  test('keeps the order and makes the folder', async () => {
    const journal = open({ maxBytes: 1e6 })
    for (const one of lines(0, 100)) expect(journal.offer(one)).toBe(true)
    await journal.stop()
    expect(linesOf(file)).toEqual(lines(0, 100))
    expect(journal.stats()).toEqual({ written: 100, dropped: 0, waiting: 0, failures: 0 })
  })

  test('no file grows beyond its limit, and only so many stay', async () => {
    const journal = open()
    for (const one of lines(0, 50)) journal.offer(one)
    await journal.stop()
    expect(readdirSync(join(folder, 'deep')).toSorted()).toEqual([
      'events.jsonl',
      'events.jsonl.1',
      'events.jsonl.2',
    ])
    const all = [`${file}.2`, `${file}.1`, file].flatMap(linesOf)
    expect(all).toEqual(lines(50 - all.length, 50))
    for (const one of ['', '.1', '.2']) expect(readFileSync(`${file}${one}`).length).toBeLessThanOrEqual(1000)
  })

  test('a line that is longer than a file stands alone', async () => {
    const journal = open()
    const long = JSON.stringify({ text: 'x'.repeat(2000) })
    for (const one of [line(0), long, line(1)]) journal.offer(one)
    await journal.stop()
    expect([`${file}.2`, `${file}.1`, file].map(linesOf)).toEqual([[line(0)], [long], [line(1)]])
  })

  test('none is kept where none is wanted', async () => {
    const journal = open({ keep: 0 })
    for (const one of lines(0, 50)) journal.offer(one)
    await journal.stop()
    expect(readdirSync(join(folder, 'deep'))).toEqual(['events.jsonl'])
  })

  test('goes on with the file that is there, also after half a line', async () => {
    mkdirSync(join(folder, 'deep'))
    writeFileSync(file, '{"n":0}\n{"half":')
    const journal = open()
    journal.offer(line(1))
    await journal.stop()
    expect(linesOf(file)).toEqual(['{"n":0}', '{"half":', line(1)])
  })

  test('too many waiting are dropped and counted', async () => {
    const journal = open({ queueBytes: 500 })
    const taken = lines(0, 20).filter((one) => journal.offer(one))
    await journal.stop()
    expect(linesOf(file)).toEqual(taken)
    expect(journal.stats()).toMatchObject({ written: taken.length, dropped: 20 - taken.length })
    expect(taken.length).toBeGreaterThan(0)
    expect(taken.length).toBeLessThan(20)
  })

  test('survives a place that cannot be written, and goes on when it can', async () => {
    writeFileSync(join(folder, 'deep'), 'a file where the folder should be')
    const journal = open({ maxBytes: 1e6, batchBytes: 300 })
    for (const one of lines(0, 10)) journal.offer(one)
    await until(() => journal.stats().failures > 1)
    expect(journal.stats()).toMatchObject({ waiting: 10, dropped: 0 })
    rmSync(join(folder, 'deep'))
    await until(() => journal.stats().written === 10)
    await journal.stop()
    expect(linesOf(file)).toEqual(lines(0, 10))
  })

  test('a place that is good again when the journal stops: nothing is lost', async () => {
    writeFileSync(join(folder, 'deep'), 'a file where the folder should be')
    const journal = open({ maxBytes: 1e6, retryMs: 3_600_000 })
    for (const one of lines(0, 10)) journal.offer(one)
    await until(() => journal.stats().failures === 1)
    rmSync(join(folder, 'deep'))
    await journal.stop()
    expect(linesOf(file)).toEqual(lines(0, 10))
    expect(journal.stats()).toEqual({ written: 10, dropped: 0, waiting: 0, failures: 1 })
  })

  test('flush tells when it cannot be written, and tries at once', async () => {
    writeFileSync(join(folder, 'deep'), 'a file where the folder should be')
    const journal = open({ maxBytes: 1e6, retryMs: 3_600_000 })
    journal.offer(line(0))
    await journal.flush()
    expect(journal.stats()).toMatchObject({ waiting: 1, failures: 1 })
    rmSync(join(folder, 'deep'))
    await journal.flush()
    expect(linesOf(file)).toEqual([line(0)])
    await journal.stop()
  })

  test.each([
    ['the file is moved away', () => renameSync(file, `${file}.away`)],
    ['the file is removed', () => rmSync(file)],
    ['the folder is moved away', () => renameSync(join(folder, 'deep'), join(folder, 'gone'))],
    ['the folder is removed', () => rmSync(join(folder, 'deep'), { recursive: true })],
  ])('%s: what follows is in a new one', async (_, move) => {
    const journal = open({ maxBytes: 1e6 })
    journal.offer(line(0))
    await journal.flush()
    move()
    journal.offer(line(1))
    await journal.flush()
    expect(linesOf(file)).toEqual([line(1)])
    expect(journal.stats()).toMatchObject({ written: 2, failures: 0 })
    await journal.stop()
  })

  test('a rotation that fails again and again takes no more than one old file', async () => {
    const journal = open({ keep: 3, retryMs: 1 })
    for (const one of lines(0, 60)) journal.offer(one)
    await journal.flush()
    const kept = linesOf(`${file}.1`)
    // A folder that is not empty cannot be replaced by a file.
    rmSync(`${file}.2`)
    rmSync(`${file}.1`)
    mkdirSync(join(`${file}.1`, 'full'), { recursive: true })
    writeFileSync(`${file}.3`, kept.join('\n'))
    for (const one of lines(60, 80)) journal.offer(one)
    await until(() => journal.stats().failures > 5)
    expect(existsSync(`${file}.2`)).toBe(true)
    expect(existsSync(`${file}.3`)).toBe(true)
    await journal.stop()
  })

  test('stops although nothing can be written, and counts what is lost', async () => {
    writeFileSync(join(folder, 'deep'), 'a file where the folder should be')
    const journal = open()
    for (const one of lines(0, 10)) journal.offer(one)
    await journal.stop()
    expect(journal.stats()).toMatchObject({ written: 0, dropped: 10, waiting: 0 })
  })
})

describe('batches', () => {
  /** A timer that runs when it is told to. */
  function manualTimer() {
    const runs = new Set<() => void>()
    let started = 0
    const after: JournalOptions['after'] = (_ms, run) => {
      const once = (): void => {
        runs.delete(once)
        run()
      }
      runs.add(once)
      started++
      return () => void runs.delete(once)
    }
    return {
      after,
      started: () => started,
      waiting: () => runs.size,
      run: () => runs.forEach((run) => run()),
    }
  }

  test('lines wait for one timer, and are written together when it runs', async () => {
    const timer = manualTimer()
    const journal = open({ maxBytes: 1e6, after: timer.after })
    for (const one of lines(0, 10)) journal.offer(one)
    expect(timer.started()).toBe(1)
    expect(existsSync(file)).toBe(false)
    expect(journal.stats()).toMatchObject({ written: 0, waiting: 10 })
    timer.run()
    await until(() => journal.stats().written > 0)
    expect(linesOf(file)).toEqual(lines(0, 10))
    expect(journal.stats()).toMatchObject({ written: 10, waiting: 0 })
    journal.offer(line(10))
    expect(timer.started()).toBe(2)
    await journal.stop()
    expect(timer.waiting()).toBe(0)
    expect(linesOf(file)).toEqual(lines(0, 11))
  })

  test('a full batch does not wait, and what comes while it is written is not forgotten', async () => {
    const timer = manualTimer()
    const journal = open({ maxBytes: 1e6, batchBytes: 300, after: timer.after })
    for (const one of lines(0, 5)) journal.offer(one)
    await until(() => journal.stats().written === 3)
    expect(journal.stats().waiting).toBe(2)
    timer.run()
    journal.offer(line(5))
    timer.run()
    await until(() => journal.stats().written === 6)
    await journal.stop()
    expect(linesOf(file)).toEqual(lines(0, 6))
  })

  test('a line longer than a batch, after one that was written alone', async () => {
    const journal = open({ maxBytes: 1e6, batchBytes: 300 })
    const mixed = ['short', 'x'.repeat(400), 'short', 'y'.repeat(300), 'z'.repeat(299)]
    for (const one of mixed) {
      journal.offer(one)
      await journal.flush()
    }
    expect(linesOf(file)).toEqual(mixed)
    await journal.stop()
  })

  test.each([1, 2, 3, 4])(
    'lines of any length, written at any moment: none is lost, seed %i',
    async (seed) => {
      let state = seed
      /** A number below `n`, from a linear congruential generator. */
      const below = (n: number): number => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
        return Math.trunc((state / 2 ** 32) * n)
      }
      const journal = open({ maxBytes: 3000, keep: 1000, batchBytes: 200, delayMs: 0 })
      const offered: string[] = []
      for (let n = 0; n < 300; n++) {
        const text = 'xü€😊'.slice(below(4)).repeat(below(below(8) === 0 ? 150 : 10))
        offered.push(`${String(n)} ${text}`)
        expect(journal.offer(offered.at(-1) ?? '')).toBe(true)
        const next = below(10)
        if (next === 0) await journal.flush()
        else if (next < 4) await new Promise((resolve) => setImmediate(resolve))
      }
      await journal.flush()
      expect(journal.stats()).toEqual({ written: 300, dropped: 0, waiting: 0, failures: 0 })
      await journal.stop()
      expect((await readTail(file, 300, 1000)).lines).toEqual(offered)
    },
  )

  test('lines longer than a batch, and short ones between them', async () => {
    const journal = open({ maxBytes: 1e6, batchBytes: 300 })
    const mixed = [1, 500, 2, 3, 299, 300, 301, 1, 900, 900, 5].map((length) => 'x'.repeat(length))
    for (const one of mixed) journal.offer(one)
    await journal.stop()
    expect(linesOf(file)).toEqual(mixed)
    expect(journal.stats()).toMatchObject({ written: mixed.length, waiting: 0 })
  })

  test('flush does not wait for the timer', async () => {
    const timer = manualTimer()
    const journal = open({ after: timer.after })
    await journal.flush()
    journal.offer(line(0))
    await journal.flush()
    expect(timer.waiting()).toBe(0)
    expect(linesOf(file)).toEqual([line(0)])
    await journal.stop()
  })

  test('a batch goes on in the next file where one is full', async () => {
    const journal = open({ maxBytes: 3 * (line(0).length + 1), keep: 8 })
    for (const one of lines(0, 10)) journal.offer(one)
    await journal.stop()
    expect([`${file}.3`, `${file}.2`, `${file}.1`, file].map(linesOf)).toEqual([
      lines(0, 3),
      lines(3, 6),
      lines(6, 9),
      lines(9, 10),
    ])
  })

  test('bytes are counted, not characters', async () => {
    const wide = 'ü€😀'
    const journal = open({ maxBytes: 2 * (Buffer.byteLength(wide) + 1), keep: 8 })
    for (let n = 0; n < 5; n++) journal.offer(wide)
    await journal.stop()
    expect([`${file}.2`, `${file}.1`, file].map((one) => linesOf(one).length)).toEqual([2, 2, 1])
    expect(journal.stats()).toMatchObject({ written: 5, waiting: 0 })
  })
})

describe('reading', () => {
  test('the last lines reach back into rotated files', async () => {
    const journal = open({ keep: 8 })
    for (const one of lines(0, 40)) journal.offer(one)
    await journal.stop()
    expect((await readTail(file, 25, 8)).lines).toEqual(lines(15, 40))
    expect((await readTail(file, 1, 8)).lines).toEqual(lines(39, 40))
    expect((await readTail(file, 0, 8)).lines).toEqual([])
    expect((await readTail(file, 1000, 8)).lines).toEqual(lines(0, 40))
  })

  test('large files are read from the end', async () => {
    const journal = open({ maxBytes: 1e8 })
    for (const one of lines(0, 5000)) journal.offer(one)
    await journal.stop()
    expect((await readTail(file, 2000, 8)).lines).toEqual(lines(3000, 5000))
  })

  test('no journal yet has no lines', async () => {
    expect((await readTail(file, 10, 8)).lines).toEqual([])
    expect(existsSync(file)).toBe(false)
  })

  test('following waits for the file, and passes rotations without loss', async () => {
    const seen: string[] = []
    const stop = new AbortController()
    const { position } = await readTail(file, 0, 8)
    const following = followJournal({
      file,
      from: position,
      onLine: (one) => seen.push(one),
      signal: stop.signal,
      everyMs: 5,
    })
    const journal = open({ keep: 8 })
    for (let at = 0; at < 40; at += 5) {
      for (const one of lines(at, at + 5)) journal.offer(one)
      await until(() => seen.length === at + 5)
    }
    stop.abort()
    await following
    await journal.stop()
    expect(seen).toEqual(lines(0, 40))
  })

  test('following begins where the tail ended', async () => {
    const journal = open({ maxBytes: 1e6 })
    for (const one of lines(0, 3)) journal.offer(one)
    await journal.flush()
    const { position } = await readTail(file, 0, 8)
    const seen: string[] = []
    const stop = new AbortController()
    const following = followJournal({
      file,
      from: position,
      onLine: (one) => seen.push(one),
      signal: stop.signal,
      everyMs: 5,
    })
    journal.offer(line(3))
    await until(() => seen.length === 1)
    stop.abort()
    await following
    await journal.stop()
    expect(seen).toEqual(lines(3, 4))
  })
})
