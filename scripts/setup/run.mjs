// The set-up: a list of steps, each skipped when it is done. A finished set-up is a fraction of a second of
// looking, and needs no network.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { benchSteps, benchTools } from './bench.mjs'
import { envoyStep, findEnvoy } from './envoy.mjs'
import { SetupFailure } from './failure.mjs'
import { takeLock } from './lock.mjs'
import { findNode, nodeStep } from './node.mjs'
import { packagesStep } from './packages.mjs'
import { cache, toolsFile } from './paths.mjs'
import { buildToolsStep, re2Step } from './re2.mjs'
import { findRedis, redisStep } from './redis.mjs'

const steps = [nodeStep, buildToolsStep, packagesStep, re2Step, envoyStep]
const testSteps = [redisStep]

const secondsSince = (start) => `${((Date.now() - start) / 1000).toFixed(1)} s`

/** Writes where the tools are, for bin/weir, the commands that start Envoy, and the tests. */
function recordTools() {
  const tools = {
    node: findNode(),
    envoy: findEnvoy(),
    redisServer: findRedis() ?? null,
    bench: benchTools(),
  }
  const text = `${JSON.stringify(tools, null, 2)}\n`
  if (existsSync(toolsFile) && readFileSync(toolsFile, 'utf8') === text) return tools
  mkdirSync(cache, { recursive: true })
  const draft = `${toolsFile}.${process.pid}`
  writeFileSync(draft, text)
  renameSync(draft, toolsFile)
  return tools
}

async function runStep(step) {
  try {
    await step.run()
    if (!step.done())
      throw new SetupFailure(`${step.name} did not come about`, 'remove .cache/ and start again')
  } catch (error) {
    if (!step.optional || !(error instanceof SetupFailure)) throw error
    console.log(`      left out: ${error.message}. Remedy: ${error.remedy}.`)
  }
}

async function runSteps(wanted) {
  const start = Date.now()
  let locked = false
  for (const [at, step] of wanted.entries()) {
    if (step.done()) continue
    if (!locked) {
      await takeLock()
      locked = true
      if (step.done()) continue
    }
    const stepStart = Date.now()
    console.log(`set-up ${at + 1}/${wanted.length}  ${step.name}: ${step.about}`)
    await runStep(step)
    console.log(`      done in ${secondsSince(stepStart)}`)
  }
  const tools = recordTools()
  if (locked) console.log(`set-up: complete in ${secondsSince(start)}`)
  return tools
}

/**
 * Brings what is missing and returns the paths of the tools. Prints one line with the remedy and ends the
 * process when a step fails.
 * @param {{ forTests?: boolean, forBench?: boolean }} options whether what only the tests or benchmarks need is brought as well
 * @returns {Promise<{ node: string, envoy: string, redisServer: string | null, bench: object }>}
 */
export async function setUp({ forTests = false, forBench = false }) {
  try {
    return await runSteps([
      ...steps,
      ...(forTests || forBench ? testSteps : []),
      ...(forBench ? benchSteps : []),
    ])
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error
    console.error(`set-up failed: ${error.message}. Remedy: ${error.remedy}.`)
    process.exit(1)
  }
}
