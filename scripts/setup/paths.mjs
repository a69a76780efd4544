// Where the set-up keeps what it brings. Everything lies under the repository's .cache/ (never committed),
// so that removing that folder and node_modules/ undoes the set-up.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const cache = join(root, '.cache')
export const toolsFile = join(cache, 'tools.json')

/** A path inside the repository. */
export const inRoot = (...parts) => join(root, ...parts)

/** A path inside the repository's cache folder. */
export const inCache = (...parts) => join(cache, ...parts)
