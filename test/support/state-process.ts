// A filter process as far as its state goes: counts the same key as often as told, all at once, and reports the answers.
//
//   state-process.ts URL REQUESTS   says 'ready', starts on any message
import { systemClock } from '#platform'
import { memoryState, redisState } from '#state'

const [url = '', requests = '0'] = process.argv.slice(2)
const quiet = { info: () => undefined, warn: () => undefined }
const local = memoryState({ clock: systemClock })
// The deadline is generous: here it is counted, not raced.
const state = redisState({ url, clock: systemClock, log: quiet, local, prefix: 'limit:', deadlineMs: 5000 })
if (!(await state.ready(5000))) throw new Error('no Redis')

process.once('message', () => void run())
process.send?.('ready')

async function run(): Promise<void> {
  const exchanges = await Promise.all(
    Array.from({ length: Number(requests) }, async () =>
      state.exchange([{ kind: 'count', key: 'shared', windowMs: 600_000 }]),
    ),
  )
  if (exchanges.some((exchange) => exchange.local)) throw new Error('counted locally')
  process.send?.(exchanges.flatMap(({ answers }) => answers))
  await state.close()
  process.disconnect()
}
