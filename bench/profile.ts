// Where the processor time of a running filter or control plane goes: both run under load with the profiler of V8, which
// leaves a .cpuprofile for each process (flame graphs: any browser's developer tools), and the functions that take most
// are printed.
//
//   node bench/profile.ts [--mix get] [--seconds 10] [--out .cache/profile] [--top 40]
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { closedLoop, writeRequests } from './compare/load.ts'
import { mixes } from './compare/mixes.ts'
import { startOrigin } from './compare/origin.ts'
import { serveShipped } from './compare/subjects/weir.ts'

const { values } = parseArgs({
  options: {
    mix: { type: 'string', default: 'get' },
    seconds: { type: 'string', default: '10' },
    out: { type: 'string', default: '.cache/profile' },
    top: { type: 'string', default: '40' },
  },
})

type Frame = { readonly functionName: string; readonly url: string; readonly lineNumber: number }
type Profile = {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** Microseconds by function, most first; time in which nothing ran is left out. */
function hottest({ nodes, samples, timeDeltas }: Profile): readonly (readonly [name: string, us: number])[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame] as const))
  const spent = new Map<string, number>()
  samples.forEach((id, at) => {
    const frame = frames.get(id)
    if (frame === undefined || frame.functionName === '(idle)') return
    const place =
      frame.url === '' ? '' : ` ${frame.url.split('/').slice(-3).join('/')}:${String(frame.lineNumber + 1)}`
    const name = `${frame.functionName || '(anonymous)'}${place}`
    spent.set(name, (spent.get(name) ?? 0) + (timeDeltas[at] ?? 0))
  })
  return [...spent].toSorted(([, a], [, b]) => b - a)
}

function print(file: string, top: number): void {
  const rows = hottest(JSON.parse(readFileSync(file, 'utf8')) as Profile)
  const all = rows.reduce((sum, [, us]) => sum + us, 0)
  process.stdout.write(`\n${file}: ${(all / 1e6).toFixed(2)} s of processor time\n`)
  for (const [name, us] of rows.slice(0, top))
    process.stdout.write(`${((100 * us) / all).toFixed(1).padStart(6)} %  ${name}\n`)
}

const make = mixes[values.mix]
if (make === undefined) throw new Error(`no mix "${values.mix}"; there are ${Object.keys(mixes).join(', ')}`)
const out = resolve(values.out)
rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })

const origin = await startOrigin()
const requests = writeRequests(make().requests)
const weir = await serveShipped(origin.port, {
  NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${out} --cpu-prof-interval=500`,
})
try {
  const load = await closedLoop(weir.port, requests, { connections: 24, seconds: Number(values.seconds) })
  process.stdout.write(`${String(load.requests)} requests, ${String(load.refused)} refused\n`)
} finally {
  await weir.stop()
  await origin.stop()
  requests.dispose()
}
for (const file of readdirSync(out)) print(join(out, file), Number(values.top))
