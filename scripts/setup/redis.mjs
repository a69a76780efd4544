// Redis, for the tests of the shared state. Weir itself is told by its settings where its Redis is. Debian's
// redis-tools holds the whole program (which command it is depends on the name it is started by); unlike the
// package redis-server it starts no service.
import { existsSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { canInstall, install } from './apt.mjs'
import { onPath, output } from './command.mjs'
import { SetupFailure } from './failure.mjs'
import { fillFolder } from './folder.mjs'
import { inCache } from './paths.mjs'

const folder = inCache('redis')
const brought = join(folder, 'redis-server')

/** The Redis server that tests start, or undefined. */
export const findRedis = () => onPath('redis-server') ?? (existsSync(brought) ? brought : undefined)

const isServer = (file) => output(file, ['--version'])?.startsWith('Redis server') === true

export const redisStep = {
  name: 'Redis',
  about: 'installs Redis for the tests (apt-get)',
  done: () => findRedis() !== undefined,
  async run() {
    const remedy = 'install redis-server (Debian: sudo apt-get install redis-server) and start again'
    if (!canInstall()) throw new SetupFailure('the tests need redis-server on PATH', remedy)
    await install(redisStep.name, ['redis-tools'])
    const program = onPath('redis-check-rdb')
    if (program === undefined) throw new SetupFailure('redis-tools lacks the Redis program', remedy)
    await fillFolder(folder, (draft) => {
      symlinkSync(program, join(draft, 'redis-server'))
      if (!isServer(join(draft, 'redis-server')))
        throw new SetupFailure('redis-tools brought no Redis server', remedy)
    })
  },
}
