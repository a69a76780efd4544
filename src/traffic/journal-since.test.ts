// Events since a moment, out of the files of a journal.
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { readSince } from './journal-since.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-journal-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const since = Date.UTC(2026, 2, 2, 9)
const line = (id: string, time: string): string =>
  `${JSON.stringify({ id, timestamp: `2026-03-02T${time}Z` })}\n`

async function idsSince(file: string, keep = 8): Promise<readonly unknown[]> {
  const ids: unknown[] = []
  await readSince(file, { keep, since }, (event) => ids.push(event['id']))
  return ids
}

test('oldest first, across rotated files; what is older, or half written, is left out', async () => {
  const file = join(folder, 'events.jsonl')
  writeFileSync(file, `${line('d', '10:00:00.000000')}7\n"text"\n{"id":"half","timest`)
  writeFileSync(`${file}.1`, line('b', '09:00:00.000001') + line('c', '09:30:00.500000'))
  writeFileSync(`${file}.2`, line('old', '08:59:59.999999') + line('a', '09:00:00.000000'))
  expect(await idsSince(file)).toEqual(['a', 'b', 'c', 'd'])
  expect(await idsSince(file, 1)).toEqual(['b', 'c', 'd'])
})

test('files that were last written before are not opened', async () => {
  const file = join(folder, 'older.jsonl')
  writeFileSync(file, line('new', '09:10:00.000000'))
  // Its events would count, were it read.
  writeFileSync(`${file}.1`, line('unread', '09:05:00.000000'))
  utimesSync(`${file}.1`, since / 1000 - 60, since / 1000 - 60)
  expect(await idsSince(file)).toEqual(['new'])
})

test('says whether there is a journal', async () => {
  const file = join(folder, 'empty.jsonl')
  writeFileSync(file, '')
  const quiet = (): void => undefined
  expect(await readSince(file, { keep: 1, since }, quiet)).toBe(true)
  expect(await readSince(join(folder, 'absent.jsonl'), { keep: 1, since }, quiet)).toBe(false)
})
