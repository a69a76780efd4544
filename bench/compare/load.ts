// Closed-loop load by wrk, on loopback, bounded in connections and time.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { program } from './tools.ts'

export type Load = {
  readonly requests: number
  readonly seconds: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
  /** Answers of status 400 and above. */
  readonly refused: number
  /** Connections that broke, and answers that did not come. */
  readonly errors: number
}

/** Reads the requests from a file (length, line break, bytes) and takes them in turn, each thread from another place. */
const script = (file: string): string => `
local requests, at = {}, 0
local file = assert(io.open(${JSON.stringify(file)}, 'rb'))
while true do
  local length = file:read('*l')
  if not length then break end
  requests[#requests + 1] = file:read(tonumber(length))
end
file:close()
request = function()
  at = at % #requests + 1
  return requests[at]
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\\nRESULT {"requests":%d,"seconds":%f,"p50":%f,"p99":%f,"p999":%f,"refused":%d,"errors":%d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    latency:percentile(99.9) / 1e3, e.status, e.connect + e.read + e.write + e.timeout))
end
`

async function output(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  const text = Buffer.concat(chunks).toString('utf8')
  if (code !== 0) throw new Error(`${file} ended with ${String(code)}: ${text.slice(-500)}`)
  return text
}

export type Requests = { readonly script: string; dispose(): void }

/** Puts requests where wrk finds them. */
export function writeRequests(requests: readonly Buffer[]): Requests {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'))
  const file = join(folder, 'requests')
  const lines = requests.flatMap((bytes) => [Buffer.from(`${String(bytes.length)}\n`), bytes])
  writeFileSync(file, Buffer.concat(lines))
  const lua = join(folder, 'requests.lua')
  writeFileSync(lua, script(file))
  return { script: lua, dispose: () => rmSync(folder, { recursive: true, force: true }) }
}

export type ClosedLoop = { readonly connections: number; readonly seconds: number }

/** As many requests as the server answers, one at a time on each connection. */
export async function closedLoop(
  port: number,
  requests: Requests,
  { connections, seconds }: ClosedLoop,
): Promise<Load> {
  const wrk = program('wrk')
  const text = await output(
    wrk.file,
    [
      '-t',
      '1',
      '-c',
      String(connections),
      '-d',
      `${String(seconds)}s`,
      '--timeout',
      '20s',
      '-s',
      requests.script,
      `http://127.0.0.1:${String(port)}`,
    ],
    wrk.env,
  )
  const found = /^RESULT (.*)$/m.exec(text)?.[1]
  if (found === undefined) throw new Error(`wrk printed no result: ${text.slice(-500)}`)
  return JSON.parse(found) as Load
}
