// Where `weir` starts. Before anything is loaded, Node is told to keep what it compiles: that halves the time until a
// process serves, which is what counts when a filter has died.
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

// Where nothing can be written, nothing is kept, and all is as before.
enableCompileCache(fileURLToPath(new URL('../../.cache/compile', import.meta.url)))
const { run } = await import('./program.ts')

// A reader that has seen enough (`weir events | head`) ends the program quietly.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const code = await run(process.argv.slice(2))
// Not by running out of work: a socket that somebody forgot must not keep a stopped server alive.
process.stdout.write('', () => process.exit(code))
