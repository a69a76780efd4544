// The quickstart, as a newcomer meets it: it says that it is ready, the four commands that it prints do what it says of
// them, and Ctrl-C leaves nothing behind.
import { type ChildProcess, execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  type Ports,
  copyConfig,
  editConfig,
  freePorts,
  portOptions,
  runWeir,
  spawnWeir,
  waitFor,
} from './support/weir.ts'

const shell = promisify(execFile)

let folder: string
let ports: Ports
let child: ChildProcess
let printed = ''

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-quickstart-'))
  ports = await freePorts()
  const { listen: shopPort } = await freePorts()
  copyConfig(join(folder, 'my-site'), shopPort)
  const own = portOptions(ports).slice(2)
  child = spawnWeir(['quickstart', '--config', 'my-site', '--port', String(ports.listen), ...own], {
    cwd: folder,
  })
  child.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  const ready = (): true | undefined => {
    if (child.exitCode !== null) throw new Error(`it ended with ${String(child.exitCode)}\n${printed}`)
    return printed.includes('Stop:  ') ? true : undefined
  }
  await waitFor('ready', ready, { hint: () => printed })
})
afterAll(() => {
  child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** The n-th command as it was printed. */
function command(n: number): string {
  const lines = printed.split('\n')
  const at = lines.findIndex((line) => line.startsWith(`  ${String(n)}. `))
  return (lines[at + 1] ?? '').trim()
}

const run = async (n: number): Promise<string> =>
  (await shell('/bin/sh', ['-c', command(n)], { cwd: folder, env: { ...process.env, NODE_OPTIONS: '' } }))
    .stdout

describe('the commands that it prints', () => {
  test('a good request', async () => {
    const answer = await run(1)
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(answer).toMatch(/^x-request-id: [0-9a-f-]{36}\r$/m)
    expect(answer).toContain('Desk lamp')
  })

  test('an SQL injection in a query', async () => {
    const answer = await run(2)
    expect(answer).toMatch(/^HTTP\/1\.1 473 /)
    const [, id = ''] = /^x-request-id: (\S+)\r$/m.exec(answer) ?? []
    expect(answer.slice(answer.indexOf('\r\n\r\n'))).toContain(id)
  })

  test('a path traversal in a JSON body', async () => {
    expect(await run(3)).toMatch(/^HTTP\/1\.1 473 /)
  })

  test('the same request explained', async () => {
    const decision = JSON.parse(await run(4)) as { status: number; reason: string; trace: unknown[] }
    expect(decision.status).toBe(473)
    expect(decision.reason).toMatch(/^Content filter: /)
    expect(decision.trace.length).toBeGreaterThan(5)
  })

  test('what happened', async () => {
    const shown = await waitFor('four lines', async () => {
      const { stdout } = await runWeir(['events', '--last', '5'], { cwd: folder })
      return stdout.split('\n').length > 3 ? stdout : undefined
    })
    expect(shown.match(/ Passed +200 GET /g)).toHaveLength(1)
    expect(shown.match(/ Blocked +473 /g)).toHaveLength(2)
    expect(shown).not.toContain('ready.weir')
  })

  test('over TLS, with the certificate that signs itself', async () => {
    const [line = ''] = /curl -ik https:\S+/.exec(printed) ?? []
    expect(line).toBe(`curl -ik https://localhost:${String(ports.listenTls)}/`)
    const trusting = await shell('/bin/sh', ['-c', line.replace('-ik', '-i')]).catch(String)
    expect(trusting).toMatch(/SSL certificate problem: self.signed certificate/)
    const { stdout } = await shell('/bin/sh', ['-c', line])
    expect(stdout).toMatch(/^HTTP\/2 200 /)
    expect((await shell('/bin/sh', ['-c', `${line}?q=../../etc/passwd`])).stdout).toMatch(/^HTTP\/2 473 /)
    // Their lines come a moment later, each worker's by itself, and not among those of the next test.
    const events = [/200 GET +localhost\/ /, /473 GET +localhost\/\?q=/]
    await waitFor('their events', () => (events.every((one) => one.test(printed)) ? true : undefined))
  })
})

describe('the folder', () => {
  test('a good change is told in one line', async () => {
    const from = printed.length
    editConfig(join(folder, 'my-site'), 'server-groups', (entries) => {
      Object.assign(entries[0] as object, { description: 'changed' })
    })
    await waitFor('a line about it', () => (/is in force/.test(printed.slice(from)) ? true : undefined))
    expect(printed.slice(from)).toMatch(
      /^The changed configuration is in force \(revision [0-9a-f]{16}\)\.\n$/,
    )
  })

  test('a broken one is told with its problems', async () => {
    const from = printed.length
    writeFileSync(join(folder, 'my-site', 'server-groups.json'), '[{]')
    await waitFor('a line about it', () => (/stays in force/.test(printed.slice(from)) ? true : undefined))
    expect(printed.slice(from)).toMatch(/server-groups\.json: /)
    expect(await run(1)).toMatch(/^HTTP\/1\.1 200 /)
  })
})

test('Ctrl-C stops everything, exit code 0', async () => {
  const closed = once(child, 'close')
  child.kill('SIGINT')
  const [code] = (await closed) as [number | null]
  expect(code).toBe(0)
  expect(printed).toContain('Weir stops')
  const still = await stillListening(ports)
  expect(still).toEqual([])
})

/** Which of the ports somebody still listens on. */
async function stillListening(wanted: Ports): Promise<readonly number[]> {
  const answers = await Promise.all(
    Object.values(wanted).map(async (port) => {
      const answer = await fetch(`http://127.0.0.1:${String(port)}/`).catch(() => undefined)
      return answer === undefined ? [] : [port]
    }),
  )
  return answers.flat()
}
