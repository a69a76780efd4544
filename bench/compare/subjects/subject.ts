// A server that is measured: how it is called, and how it comes to be. `index.ts` lists them all.
import type { Running } from '../processes.ts'

export type Subject = {
  readonly id: string
  readonly name: string
  /** Why it cannot be measured here; undefined where it can. */
  readonly missing?: () => string | undefined
  start(place: { readonly originPort: number }): Promise<Started>
}

export type Started = {
  /** Where it takes requests, on 127.0.0.1. */
  readonly port: number
  /** The roots of the process trees that are counted. */
  readonly pids: readonly number[]
  /** The Redis that it counts in, and the file of its events, where it has them. */
  readonly redisPort?: number
  readonly journal?: string
  stop(): Promise<void>
}

/** Several processes as one server; they are stopped in reverse. */
export const together = (port: number, ...running: readonly Running[]): Started => ({
  port,
  pids: running.map(({ pid }) => pid),
  async stop() {
    for (const one of running.toReversed()) await one.stop()
  },
})
