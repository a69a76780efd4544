// The last snapshot that every Envoy took, on disk: what a control plane offers that starts again while its documents
// cannot be read. One file, written beside its place and renamed into it, with a checksum in its first line; a file that
// does not add up is left out with a warning, never half believed. It holds private keys: only its owner may read it.
import { createHash } from 'node:crypto'
import { createWriteStream, readFileSync, statSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Type } from 'typebox'
import { Check } from 'typebox/value'
import type { OfferedResource, OfferedSnapshot } from './snapshot.ts'

export type KeptSnapshotLog = {
  debug(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export type KeeperOptions = {
  readonly file: string
  /** A snapshot that would take more is not kept. */
  readonly maxBytes: number
  readonly bucket: string
  readonly log: KeptSnapshotLog
  /** The snapshot that is worth keeping at this moment, if there is one. */
  readonly acknowledged: () => OfferedSnapshot | undefined
  /** Milliseconds between a change and the look at it; Envoy may refuse what it asks for a moment later. Default: 1 s. */
  readonly delayMs?: number
}

export type SnapshotKeeper = {
  /** Something may have been acknowledged. */
  consider(): void
  /** Keeps what is acknowledged now and resolves when it is on disk. */
  stop(): Promise<void>
}

const index = Type.Object({
  bucket: Type.String(),
  version: Type.String(),
  staticClusters: Type.Array(Type.String()),
  placements: Type.Optional(
    Type.Array(
      Type.Object({
        listener: Type.String(),
        nodes: Type.Record(Type.String(), Type.String()),
        regions: Type.Record(Type.String(), Type.String()),
      }),
    ),
  ),
  resources: Type.Array(
    Type.Object({
      type: Type.String(),
      name: Type.String(),
      version: Type.String(),
      length: Type.Integer({ minimum: 0 }),
      /** Endpoints that follow the resource when it changes: all that is needed of its references. */
      endpoints: Type.Array(Type.String()),
    }),
  ),
})

const magic = 'weir-snapshot-1'
const newline = 0x0a

type Located = { readonly type: string; readonly resource: OfferedResource }

const located = ({ resources }: OfferedSnapshot): readonly Located[] =>
  [...resources].flatMap(([type, list]) => list.map((resource) => ({ type, resource })))

/** Checksum line, index line, then the bytes of all resources in the order of the index. */
export function packSnapshot(snapshot: OfferedSnapshot, bucket: string): readonly Uint8Array[] {
  const all = located(snapshot)
  const head = {
    bucket,
    version: snapshot.version,
    staticClusters: snapshot.staticClusters,
    placements: snapshot.placements,
    resources: all.map(({ type, resource: { name, version, bytes, references } }) => ({
      type,
      name,
      version,
      length: bytes.length,
      endpoints: references.filter(({ kind }) => kind === 'endpoint').map((one) => one.name),
    })),
  }
  const parts = [Buffer.from(`${JSON.stringify(head)}\n`), ...all.map(({ resource }) => resource.bytes)]
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return [Buffer.from(`${magic} ${hash.digest('hex')}\n`), ...parts]
}

/** Throws with the reason for bytes that `packSnapshot` did not write for this bucket. */
export function unpackSnapshot(bytes: Buffer, bucket: string): OfferedSnapshot {
  const first = bytes.indexOf(newline)
  const rest = bytes.subarray(first + 1)
  const sum = createHash('sha256').update(rest).digest('hex')
  if (bytes.subarray(0, Math.max(first, 0)).toString('latin1') !== `${magic} ${sum}`)
    throw new Error('its checksum does not fit its content')
  const end = rest.indexOf(newline)
  const head: unknown = JSON.parse(rest.subarray(0, Math.max(end, 0)).toString())
  if (!Check(index, head)) throw new Error('its index cannot be read')
  if (head.bucket !== bucket) throw new Error(`it is of the bucket ${head.bucket}`)
  const resources = new Map<string, OfferedResource[]>()
  let at = end + 1
  for (const { type, name, version, length, endpoints } of head.resources) {
    if (at + length > rest.length) throw new Error('it ends too early')
    const list = resources.get(type) ?? []
    list.push({
      name,
      version,
      bytes: rest.subarray(at, at + length),
      references: endpoints.map((endpoint) => ({ kind: 'endpoint', name: endpoint })),
    })
    resources.set(type, list)
    at += length
  }
  return {
    version: head.version,
    staticClusters: head.staticClusters,
    placements: head.placements,
    resources,
  }
}

export type KeptPlace = Pick<KeeperOptions, 'file' | 'maxBytes' | 'bucket' | 'log'>

/** What was kept before a restart; undefined, with a warning, when there is nothing to be trusted. */
export function readKeptSnapshot(
  { file, maxBytes, bucket, log }: KeptPlace,
  noun = 'Envoy configuration',
): OfferedSnapshot | undefined {
  const found = statSync(file, { throwIfNoEntry: false })
  if (!found) return undefined
  try {
    if (found.size > maxBytes) throw new Error(`it has more than ${String(maxBytes)} bytes`)
    return unpackSnapshot(readFileSync(file), bucket)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    log.warn({ file, reason }, `the kept ${noun} is left out; the next acknowledged one replaces it`)
    return undefined
  }
}

/** Puts the parts in the place of the file, all or nothing, for its owner alone. */
export async function writeKept(file: string, parts: readonly Uint8Array[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const beside = `${file}.new`
  await rm(beside, { force: true })
  await pipeline(Readable.from(parts), createWriteStream(beside, { mode: 0o600, flush: true }))
  await rename(beside, file)
}

export function createSnapshotKeeper(options: KeeperOptions): SnapshotKeeper {
  const { file, maxBytes, bucket, log, acknowledged, delayMs = 1000 } = options
  let kept: string | undefined
  let waiting: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  async function keep(snapshot: OfferedSnapshot): Promise<void> {
    if (snapshot.version === kept) return
    const parts = packSnapshot(snapshot, bucket)
    const bytes = parts.reduce((sum, { length }) => sum + length, 0)
    kept = snapshot.version
    if (bytes > maxBytes) {
      log.warn(
        { file, bytes, maxBytes },
        'the Envoy configuration is too large to be kept; raise xds.kept.max_bytes',
      )
      return
    }
    try {
      await writeKept(file, parts)
      log.debug({ file, bytes, snapshot: snapshot.version }, 'the acknowledged Envoy configuration is kept')
    } catch (error) {
      kept = undefined
      await rm(`${file}.new`, { force: true }).catch(() => undefined)
      log.warn({ file, err: error }, 'the acknowledged Envoy configuration could not be kept')
    }
  }

  function look(): void {
    waiting = undefined
    const snapshot = acknowledged()
    if (snapshot) writing = writing.then(() => keep(snapshot))
  }

  return {
    consider() {
      waiting ??= setTimeout(look, delayMs).unref()
    },
    async stop() {
      clearTimeout(waiting)
      look()
      await writing
    },
  }
}
