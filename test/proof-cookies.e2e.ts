// What an origin behind a real Envoy gets to see of Weir's own cookies: nothing, because nothing proved them (spec pipeline 1.6).
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { send } from './support/http.ts'
import { type Origin, startOrigin } from './support/origin.ts'
import { type TestWeir, startWeir } from './support/weir.ts'

let origin: Origin
let weir: TestWeir
beforeAll(async () => {
  origin = await startOrigin('one')
  weir = await startWeir({ backendPort: origin.port })
})
afterAll(async () => {
  await weir.stop()
  await origin.stop()
})

type Line = readonly [name: string, value: string]

const rows: readonly (readonly [says: string, sent: readonly Line[], cookies: readonly string[]])[] = [
  ['others arrive as sent', [['cookie', 'a=1;  b="2"']], ['a=1;  b="2"']],
  ['proofs are taken out', [['cookie', 'a=1; waap_hp=1.k.p.m; b=2; waap_id=i.m']], ['a=1; b=2']],
  ['nothing else, no header', [['cookie', 'waap_ic=1.k.p.m; waap_tr=3']], []],
  [
    'on several lines',
    [
      ['cookie', 'waap_hp=x; a=1'],
      ['cookie', 'b=2; waap_ic=y'],
    ],
    ['a=1; b=2'],
  ],
]
test.each(rows)('%s', async (_, headers, cookies) => {
  expect((await send({ port: weir.port, host: 'localhost', headers })).status).toBe(200)
  const arrived = origin.arrived.at(-1)?.headers ?? []
  expect(arrived.filter(([name]) => name.toLowerCase() === 'cookie').map(([, value]) => value)).toEqual(
    cookies,
  )
})
