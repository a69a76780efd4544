// Watches a folder of documents: whoever writes there (an editor, a deployment, a ConfigMap that is swapped through a
// symbolic link) gets the new Policy applied, or the reasons why not, without restarting anything.
import { createHash } from 'node:crypto'
import { type FSWatcher, readdirSync, watch } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type LoadOptions, type LoadResult, loadFolder } from './load.ts'
import { fileBytes, messageOf } from './read/file-bytes.ts'

export type WatchListeners = {
  /** A changed folder that is good, or one that is not. Not called when only time stamps changed. */
  readonly onChange: (result: LoadResult) => void
  /** Watching itself failed; the folder is still looked at every few seconds. */
  readonly onError: (error: unknown) => void
}

export type Watch = { stop(): void }

/** Editors write in several steps: wait until it has been quiet for this long. */
const quietMs = 150
/** Network file systems tell nothing: look by ourselves as well. */
const lookMs = 2000

function fingerprint(folder: string): string {
  const hash = createHash('sha256')
  try {
    for (const name of readdirSync(folder).toSorted()) {
      hash.update(`${name}\n`)
      if (!/\.(json|ya?ml)$/.test(name)) continue
      const bytes = fileBytes(join(folder, name))
      hash.update(Buffer.isBuffer(bytes) ? bytes : bytes.why)
    }
  } catch (error) {
    // A folder that is being replaced is gone for a moment; that is a state like any other, told by loadFolder.
    hash.update(messageOf(error))
  }
  return hash.digest('hex')
}

/** Calls back about every change of content from now on. */
export function watchFolder(
  folder: string,
  options: LoadOptions,
  { onChange, onError }: WatchListeners,
): Watch {
  let seen = fingerprint(folder)
  let timer: NodeJS.Timeout | undefined
  let watchers: readonly FSWatcher[] = []

  const look = (): void => {
    const now = fingerprint(folder)
    if (now === seen) return
    seen = now
    watchAgain()
    onChange(loadFolder(folder, options))
  }
  const later = (): void => {
    clearTimeout(timer)
    timer = setTimeout(look, quietMs)
  }
  const close = (): void => {
    for (const watcher of watchers) watcher.close()
    watchers = []
  }
  const open = (path: string, only?: string): readonly FSWatcher[] => {
    try {
      const watcher = watch(path, (_event, name) => {
        if (only === undefined || name === only || name === '..data') later()
      })
      watcher.on('error', onError)
      return [watcher]
    } catch (error) {
      // Who loads a folder that is not there says so in better words.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') onError(error)
      return []
    }
  }
  /** The parent as well: the folder itself may be renamed over, and then its watcher looks at the old one. */
  const watchAgain = (): void => {
    close()
    watchers = [...open(folder), ...open(dirname(folder), basename(folder))]
  }
  watchAgain()
  const interval = setInterval(look, lookMs)
  interval.unref()
  return {
    stop() {
      clearInterval(interval)
      clearTimeout(timer)
      close()
    },
  }
}
