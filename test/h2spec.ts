// The conformance suite for HTTP/2 servers against the lean transport, with its whole report: node test/h2spec.ts [SECTION...]
// test/peers.e2e.ts runs the same. Exit 1 where a test failed.
import { startEcho } from './support/echo-server.ts'
import { h2specBinary, run } from './support/programs.ts'

const server = await startEcho()
const args = ['-h', '127.0.0.1', '-p', String(server.port), ...process.argv.slice(2)]
const { code, output } = await run(await h2specBinary(), args)
server.stop()
console.log(output)
process.exitCode = code ?? 1
