// The lists in force on disk, in the form that filters read (`decodeRevocations`), with what the control plane needs besides.
// Written beside its place and renamed into it, for its owner only: half a file would let revoked certificates in.
import { readFileSync, statSync } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Type } from 'typebox'
import { Check } from 'typebox/value'
import { type ListedSerials, decodeLists, encodeRevocations } from '#config'
import type { KeptList } from './accept.ts'

export type ListLog = {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** What the control plane needs besides `ListedSerials`. */
const besides = Type.Object({
  url: Type.String(),
  thisUpdate: Type.Number(),
  nextUpdate: Type.Union([Type.Number(), Type.Null()]),
  fetched: Type.Number(),
})

const isKept = (list: ListedSerials): list is KeptList => Check(besides, list)

/** What was in force before a restart; nothing, with a warning, when the file cannot be trusted. */
export function readKeptLists(file: string, log: Pick<ListLog, 'warn'>): readonly KeptList[] {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return []
  try {
    const lists = decodeLists(readFileSync(file, 'utf8'))
    if (lists?.every(isKept)) return lists
    log.warn({ file }, 'the kept revocation lists are left out: the file is not as Weir wrote it')
  } catch (error) {
    log.warn({ file, err: error }, 'the kept revocation lists cannot be read')
  }
  return []
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const beside = `${file}.new`
  await rm(beside, { force: true })
  const handle = await open(beside, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(beside, file)
}

export type ListWriter = {
  /** Writes the lists as they are when it comes to it; several calls may become one. */
  save(lists: () => readonly KeptList[]): void
  /** Resolves when everything is on disk. */
  settled(): Promise<void>
}

export function createListWriter(file: string, log: Pick<ListLog, 'warn'>): ListWriter {
  let writing: Promise<void> = Promise.resolve()
  let waiting = false
  return {
    save(lists) {
      if (waiting) return
      waiting = true
      writing = writing.then(async () => {
        waiting = false
        try {
          await write(file, encodeRevocations(lists()))
        } catch (error) {
          log.warn(
            { file, err: error },
            'the revocation lists could not be written: filters keep those before',
          )
        }
      })
    },
    settled: () => writing,
  }
}
