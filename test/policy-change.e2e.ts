// The first policy change that the README walks through, with its observable effect: a country blocked, a login limited,
// both while Weir runs; and a broken folder changes nothing.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { send } from './support/http.ts'
import { type TestWeir, editConfig, startWeir, waitFor } from './support/weir.ts'

let weir: TestWeir

beforeAll(async () => {
  weir = await startWeir({})
})
afterAll(async () => {
  await weir.stop()
})

type Entries = Record<string, unknown>[]

const fromFrance = async (): Promise<number> => {
  const headers = [['x-forwarded-for', '82.64.131.193']] as const
  return (await send({ port: weir.port, host: 'localhost', headers })).status
}
const login = async (): Promise<number> =>
  (
    await send({
      port: weir.port,
      host: 'localhost',
      method: 'POST',
      path: '/login',
      headers: [['content-type', 'application/x-www-form-urlencoded']],
      body: 'user=anna',
    })
  ).status

test('a country is blocked without a restart', async () => {
  expect(await fromFrance()).toBe(200)
  editConfig(weir.config, 'acl-profiles', (entries) => {
    for (const entry of entries as Entries)
      if (entry['id'] === '__acldefault__') entry['deny'] = ['acl-deny', 'geo-country:france']
  })
  await waitFor('472 for France', async () => ((await fromFrance()) === 472 ? true : undefined))
  expect((await send({ port: weir.port, host: 'localhost' })).status).toBe(200)
})

test('the fourth login within a minute is refused', async () => {
  editConfig(weir.config, 'rate-limit-rules', (entries) => {
    entries.push({
      id: 'login',
      name: 'login per address',
      active: true,
      global: false,
      timeframe: 60,
      key: [{ attrs: 'ip' }],
      thresholds: [{ limit: 3, action: 'action-rate-limit-block' }],
    })
  })
  editConfig(weir.config, 'security-policies', (entries) => {
    for (const entry of entries as { id: string; map: unknown[] }[]) {
      if (entry.id !== '__default__') continue
      entry.map.push({
        id: 'login',
        name: 'login',
        match: '^/login$',
        rate_limit_rules: ['login'],
        backend_service: '__default__',
      })
    }
  })
  // Counting begins with the new policy: however many logins came before, it refuses from the fourth on.
  const statuses: number[] = []
  await waitFor('471 for a login', async () => {
    statuses.push(await login())
    return statuses.at(-1) === 471 ? true : undefined
  })
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(3)
  expect(await login()).toBe(471)
})

test('the last site cannot go while Weir runs, and the folder that has it again is told', async () => {
  const file = join(weir.config, 'server-groups.json')
  const before = readFileSync(file)
  rmSync(file)
  await weir.logged((line) => String(line.msg).includes('the change would leave no site'))
  expect([await fromFrance(), await login()]).toEqual([472, 471])
  writeFileSync(file, before)
  await weir.logged((line) => String(line.msg).startsWith('the configuration is again what it was'))
})

test('a broken folder changes nothing', async () => {
  writeFileSync(join(weir.config, 'actions.json'), '[{')
  await weir.logged((line) => String(line.msg).includes('actions.json'))
  expect([await fromFrance(), await login()]).toEqual([472, 471])
})
