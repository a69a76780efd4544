// The filters that Envoys were told of, on disk, so that a control plane that starts again does not send Envoys away from
// filters that merely have not come back to it yet.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { isIP } from 'node:net'
import { Type } from 'typebox'
import { Check } from 'typebox/value'
import type { FleetMember } from './fleet.ts'

type Log = { warn(fields: object, message: string): void }

type Place = { readonly file: string; readonly bucket: string; readonly log: Log }

const schema = Type.Object({
  bucket: Type.String(),
  filters: Type.Array(
    Type.Object({
      id: Type.String(),
      region: Type.String(),
      address: Type.Object({ host: Type.String(), port: Type.Integer({ minimum: 1, maximum: 65_535 }) }),
    }),
    { maxItems: 10_000 },
  ),
})

/** None, with a warning, when the file is of another bucket or no such file. */
export function readKeptFleet({ file, bucket, log }: Place): readonly FleetMember[] {
  if (!existsSync(file)) return []
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (!Check(schema, value)) throw new Error('it cannot be read')
    if (value.bucket !== bucket) throw new Error(`it is of the bucket ${value.bucket}`)
    return value.filters.filter(({ address }) => isIP(address.host) !== 0)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    log.warn({ file, reason }, 'the kept list of filters is left out; filters that connect make a new one')
    return []
  }
}

/** Replaces the list; what goes wrong is told and changes nothing for those who run. */
export function keepFleet({ file, bucket, log }: Place, filters: readonly FleetMember[]): void {
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(`${file}.new`, `${JSON.stringify({ bucket, filters })}\n`, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  } catch (error) {
    log.warn({ file, err: error }, 'the list of filters could not be kept')
  }
}
