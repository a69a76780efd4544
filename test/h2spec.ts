// The conformance suite for HTTP/2 servers against the lean transport, with its whole report: node test/h2spec.ts [SECTION...]
// test/peers.e2e.ts runs the same. Exit 1 where a test failed or h2spec cannot be built.
import { startEcho } from './support/echo-server.ts'
import { h2spec, run } from './support/programs.ts'

const peer = await h2spec()
if ('missing' in peer) {
  console.error(`h2spec cannot be built here: ${peer.missing}`)
  process.exit(1)
}
const server = await startEcho()
const { code, output } = await run(peer.file, [
  '-h',
  '127.0.0.1',
  '-p',
  String(server.port),
  ...process.argv.slice(2),
])
server.stop()
console.log(output)
process.exitCode = code ?? 1
