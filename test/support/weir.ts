// A whole Weir for tests: control plane, filter and a real Envoy under the supervisor, on ports of their own, in front of
// the demo shop. Events are read from the journal, by request id.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { TrafficEvent } from '#traffic'
import { envoyBinary } from './envoy.ts'
import { freePort } from './http.ts'

export type TestWeirOptions = {
  /** Changes the copy of the shipped documents before Weir starts. */
  readonly configure?: (folder: string) => void
  /** `serve` with an origin of the test's own; default: `quickstart` with the demo shop. */
  readonly backendPort?: number
  readonly environment?: Readonly<Record<string, string>>
}

export type TestWeir = {
  /** Where Envoy takes requests. */
  readonly port: number
  readonly admin: string
  /** The folder of documents, watched. */
  readonly config: string
  /** `address:port` of the backend, as events show it. */
  readonly backend: string
  readonly process: ChildProcess
  /** What it wrote, both streams. */
  output(): string
  events(): Promise<readonly TrafficEvent[]>
  /** The event of a request; waits for it, since Envoy tells in batches. */
  event(requestId: string): Promise<TrafficEvent>
  /** Waits until there are more than `count` events, and returns those after it. */
  eventsAfter(count: number): Promise<readonly TrafficEvent[]>
  /** Waits until the output contains the text. */
  says(text: string | RegExp, timeoutMs?: number): Promise<void>
  stop(): Promise<number | null>
}

const root = new URL('../../', import.meta.url).pathname

/** Polls; the error has what Weir wrote. */
async function until<T>(
  what: string,
  timeoutMs: number,
  output: () => string,
  look: () => T | undefined,
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const found = look()
    if (found !== undefined) return found
    if (Date.now() > deadline)
      throw new Error(`${what} did not happen within ${String(timeoutMs)} ms\n${output()}`)
    await pause(25)
  }
}

function prepareConfig(folder: string, backendPort: number, { configure }: TestWeirOptions): void {
  cpSync(join(root, 'config'), folder, { recursive: true })
  const file = join(folder, 'backend-services.json')
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('18080', String(backendPort)))
  configure?.(folder)
}

function readEvents(journal: string): readonly TrafficEvent[] {
  if (!existsSync(journal)) return []
  const lines = readFileSync(journal, 'utf8').split('\n')
  // The last piece is empty, or a line that is still being written.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as TrafficEvent)
}

/** Starts on free ports; rejects with what Weir wrote when it is not ready in 30 s. */
export async function startWeir(options: TestWeirOptions): Promise<TestWeir> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-test-'))
  const config = join(folder, 'config')
  const journal = join(folder, 'events.jsonl')
  const port = await freePort()
  const backendPort = options.backendPort ?? (await freePort())
  prepareConfig(config, backendPort, options)
  const places = await Promise.all(Array.from({ length: 6 }, freePort))
  const place = (i: number): string => `127.0.0.1:${String(places[i])}`
  const command = options.backendPort === undefined ? ['quickstart'] : ['serve', '--envoy']
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(root, 'src/cli/main.ts'), ...command, '--config', config],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'] ?? '',
        WEIR_ENVOY_BINARY: envoyBinary(),
        WEIR_ENVOY_LISTEN: `127.0.0.1:${String(port)}`,
        WEIR_ENVOY_ADMIN: place(0),
        WEIR_ENVOY_STATS: place(1),
        WEIR_ENVOY_CONCURRENCY: '1',
        WEIR_FILTER_LISTEN: place(2),
        WEIR_FILTER_METRICS: place(3),
        WEIR_XDS_LISTEN: place(4),
        WEIR_CONTROL_METRICS: place(5),
        WEIR_TRAFFIC_JOURNAL_FILE: journal,
        ...options.environment,
      },
    },
  )
  const exited = once(child, 'exit')
  const chunks: string[] = []
  const keep = (chunk: Buffer): void => void chunks.push(chunk.toString())
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const output = (): string => chunks.join('')
  const stop = async (): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    const patience = setTimeout(() => child.kill('SIGKILL'), 20_000)
    await exited
    clearTimeout(patience)
    rmSync(folder, { recursive: true, force: true })
    return child.exitCode
  }
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null
  const ready = until('"ready"', 30_000, output, () => {
    if (ended()) throw new Error(`Weir ended before it was ready\n${output()}`)
    return /^(?:.* )?ready\b/im.test(output()) ? true : undefined
  })
  await ready.catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return {
    port,
    admin: `http://${place(0)}`,
    config,
    backend: `127.0.0.1:${String(backendPort)}`,
    process: child,
    output,
    events: () => Promise.resolve(readEvents(journal)),
    event: (id) =>
      until(`an event of request ${id}`, 5000, output, () =>
        readEvents(journal).find((event) => event.request_id === id),
      ),
    eventsAfter: (count) =>
      until(`more than ${String(count)} events`, 5000, output, () => {
        const events = readEvents(journal)
        return events.length > count ? events.slice(count) : undefined
      }),
    says: async (text, timeoutMs = 5000) => {
      await until(`${String(text)} in the output`, timeoutMs, output, () =>
        (typeof text === 'string' ? output().includes(text) : text.test(output())) ? true : undefined,
      )
    },
    stop,
  }
}
