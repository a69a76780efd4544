// Redis, for the tests of the shared state. Weir itself is told by its settings where its Redis is.
import { canInstall, install } from './apt.mjs'
import { onPath } from './command.mjs'
import { SetupFailure } from './failure.mjs'

/** The Redis server that tests start, or undefined. */
export const findRedis = () => onPath('redis-server')

export const redisStep = {
  name: 'Redis',
  about: 'installs redis-server for the tests (apt-get)',
  done: () => findRedis() !== undefined,
  async run() {
    const remedy = 'install redis-server (Debian: sudo apt-get install redis-server) and start again'
    if (!canInstall()) throw new SetupFailure('the tests need redis-server on PATH', remedy)
    await install(redisStep.name, ['redis-server'])
    if (findRedis() === undefined) throw new SetupFailure('redis-server is installed but not on PATH', remedy)
  },
}
