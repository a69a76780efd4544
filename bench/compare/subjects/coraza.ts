// Coraza 3 with the Core Rule Set 4 as a Go reverse proxy (bench/peers/coraza).
import { freePort } from '../ports.ts'
import { start } from '../processes.ts'
import { tools } from '../tools.ts'
import { type Subject, together } from './subject.ts'

export const coraza: Subject = {
  id: 'coraza',
  name: 'Coraza + CRS, Go proxy',
  missing: () => (tools.bench.coraza === null ? 'it could not be built (Go is missing)' : undefined),
  async start({ originPort }) {
    const port = await freePort()
    const origin = `http://127.0.0.1:${String(originPort)}`
    const args = ['--listen', `127.0.0.1:${String(port)}`, '--origin', origin]
    return together(port, await start(tools.bench.coraza ?? '', args, { port }))
  },
}
