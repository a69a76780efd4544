// The golden files, to Envoy: what is written there is what it accepts. Checked as a static configuration, so that
// nothing has to listen.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { load } from 'js-yaml'
import { envoyBinary } from './support/envoy.ts'

type Fields = Readonly<Record<string, unknown>>
type Filter = { readonly name: string; readonly typed_config?: Fields }
type Golden = {
  readonly Cluster: readonly (Fields & { name: string; type?: string })[]
  readonly ClusterLoadAssignment: readonly (Fields & { cluster_name: string })[]
  readonly Listener: readonly (Fields & {
    filter_chains: readonly { filters: readonly Filter[] }[]
  })[]
  readonly RouteConfiguration: readonly (Fields & { name: string })[]
  readonly TypedExtensionConfig: readonly Filter[]
}

const folder = new URL('golden/xds/', import.meta.url)

/** What would come by EDS, RDS and ECDS, written in place. */
function staticOf(golden: Golden): object {
  const clusters = golden.Cluster.map((cluster) => {
    const assignment = golden.ClusterLoadAssignment.find(({ cluster_name }) => cluster_name === cluster.name)
    return cluster.type === 'EDS'
      ? { ...cluster, type: 'STATIC', eds_cluster_config: undefined, load_assignment: assignment }
      : cluster
  })
  const inline = (filter: Filter): Filter => {
    const { rds, ...manager } = filter.typed_config ?? {}
    if (filter.typed_config === undefined)
      return golden.TypedExtensionConfig.find(({ name }) => name === filter.name) ?? filter
    if (rds === undefined) return filter
    const { route_config_name } = rds as { route_config_name: string }
    const routes = golden.RouteConfiguration.find(({ name }) => name === route_config_name)
    return { ...filter, typed_config: { ...manager, route_config: routes } }
  }
  const listeners = golden.Listener.map((listener) => ({
    ...listener,
    filter_chains: listener.filter_chains.map((chain) => ({
      ...chain,
      filters: chain.filters.map(inline),
    })),
  }))
  const control = { name: 'weir_control', type: 'STATIC', load_assignment: { cluster_name: 'weir_control' } }
  const limits = { 're2.max_program_size.error_level': 100000, 're2.max_program_size.warn_level': 100000 }
  return {
    static_resources: { clusters: [...clusters, control], listeners },
    layered_runtime: { layers: [{ name: 'weir', static_layer: limits }] },
  }
}

describe('Envoy accepts', () => {
  let scratch = ''
  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'weir-'))
  })
  afterAll(() => rmSync(scratch, { recursive: true }))

  for (const name of readdirSync(folder))
    test(`the resources of ${name}`, async () => {
      const golden = load(readFileSync(new URL(`${name}/out.yaml`, folder), 'utf8')) as Golden
      const file = join(scratch, `${name}.json`)
      writeFileSync(file, JSON.stringify(staticOf(golden)))
      const { stdout, stderr } = await promisify(execFile)(envoyBinary(), ['--mode', 'validate', '-c', file])
      expect(`${stdout}${stderr}`).toMatch(/configuration '.*' OK/)
      // Envoy wants another kind of cluster for names some day; the oldest supported one does not know that kind.
      const warnings = stderr.split('\n').filter((line) => /deprecated|unknown field/i.test(line))
      expect(warnings.filter((line) => !line.includes('Cluster.respect_dns_ttl'))).toEqual([])
    }, 20_000)
})
