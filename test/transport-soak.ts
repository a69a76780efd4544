// Clients that come and go as they like, against the lean transport: node test/transport-soak.ts [SECONDS [SEED]] (60 s by default). What is
// looked for is said in support/transport-soak.ts; test/peers.e2e.ts runs a short one. Exit 1 if anything was found.
import { soak } from './support/transport-soak.ts'

const [seconds = '60', seed = '1'] = process.argv.slice(2)
const { problems, ...counts } = await soak({ seconds: Number(seconds), seed: Number(seed) })
console.log(counts)
for (const [problem, times] of problems) console.log(`${times} × ${problem}`)
process.exitCode = problems.size > 0 ? 1 : 0
