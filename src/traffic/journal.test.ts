import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
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
