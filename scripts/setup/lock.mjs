// One set-up at a time: two that unpack into the same folders would spoil each other's work. Taken only when
// there is work, so a finished set-up never waits. The lock of a process that is gone is taken over.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { cache, inCache } from './paths.mjs'

const lockFile = inCache('setup.lock')

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function holder() {
  try {
    return Number(readFileSync(lockFile, 'utf8'))
  } catch {
    return undefined // Given back in the meantime.
  }
}

/** Waits for the lock; gives it back when the process ends. */
export async function takeLock() {
  mkdirSync(cache, { recursive: true })
  for (let waited = 0; ; waited++) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: 'wx' })
      // Two that find a dead lock at the same time may both remove one: then the later one has it.
      await sleep(100)
      if (holder() !== process.pid) continue
      process.once('exit', () => rmSync(lockFile, { force: true }))
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const pid = holder()
    if (pid !== undefined && pid !== 0 && !isAlive(pid)) rmSync(lockFile, { force: true })
    else if (waited % 10 === 0) console.log(`set-up: another one (process ${pid}) is at work, waiting for it`)
    await sleep(1000)
  }
}
