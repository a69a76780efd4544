// What Envoy itself says of a snapshot, before any running Envoy gets it (spec control-plane 2.13).
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Snapshot, staticConfigOf } from '#envoy'

/** A thousand sites take Envoy about two seconds. */
const patienceMs = 60_000

/** The last line, without the time, the thread and what is the same for every reason. */
const reasonIn = (text: string): string | undefined =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .at(-1)
    ?.replace(/^(?:\[[^\]]*\] ?)+/, '')
    .replace(/^error initializing configuration '': /, '')

/** Envoy's reason for refusing the snapshot; undefined where it accepts it. `binary` is run in validation mode. */
export function refusalByEnvoy(binary: string, snapshot: Snapshot): string | undefined {
  // Private keys are in it: nobody else may read the folder, and it goes whatever happens.
  const folder = mkdtempSync(join(tmpdir(), 'weir-check-'))
  try {
    const file = join(folder, 'envoy.json')
    writeFileSync(file, JSON.stringify(staticConfigOf(snapshot)), { mode: 0o600 })
    const { status, stderr, error } = spawnSync(
      binary,
      ['--mode', 'validate', '--log-level', 'error', '-c', file],
      { encoding: 'utf8', timeout: patienceMs },
    )
    if (error !== undefined) return error.message
    if (status === 0) return undefined
    return reasonIn(stderr.replaceAll(file, '')) ?? `it ended with ${String(status)}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
