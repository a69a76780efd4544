// The sites of bench/xds.ts as an administrator would have them: a folder of documents, the shipped ones for everything that
// the measurement is not about.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type Size = { readonly groups: number; readonly paths: number; readonly services: number }

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n)

function documentsOf({ groups, paths, services }: Size): Readonly<Record<string, readonly object[]>> {
  const backend = (group: number, path: number): string => `service-${(group * paths + path) % services}`
  return {
    'backend-services': [
      {
        id: '__default__',
        name: 'default',
        http11: true,
        least_conn: false,
        back_hosts: [{ host: '10.9.9.9' }],
      },
      ...numbers(services).map((n) => ({
        id: `service-${n}`,
        name: `service ${n}`,
        http11: true,
        least_conn: false,
        back_hosts: [
          { host: `10.1.${n >> 8}.${n & 255}`, http_ports: [8080] },
          { host: `10.2.${n >> 8}.${n & 255}`, http_ports: [8080], weight: 2, max_fails: 3 },
        ],
      })),
    ],
    'security-policies': numbers(groups).map((group) => ({
      id: `policy-${group}`,
      name: `policy ${group}`,
      session: [{ attrs: 'ip' }],
      map: [
        ...numbers(paths - 1).map((path) => ({
          id: `path-${path}`,
          name: `path ${path}`,
          match: `^/api/v[0-9]+/part-${path}/`,
          backend_service: backend(group, path),
        })),
        {
          id: '__default_entry__',
          name: 'default',
          match: '__default__',
          backend_service: backend(group, paths - 1),
        },
      ],
    })),
    'server-groups': numbers(groups).map((group) => ({
      id: `site-${group}`,
      name: `site ${group}`,
      server_names: [`www.site-${group}.example`],
      security_policy: `policy-${group}`,
      proxy_template: '__default__',
    })),
  }
}

/** Calls `use` with a folder of such documents, which is gone afterwards. */
export function withFolder(size: Size, use: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'))
  try {
    cpSync(new URL('../config', import.meta.url).pathname, folder, { recursive: true })
    for (const [name, entries] of Object.entries(documentsOf(size)))
      writeFileSync(join(folder, `${name}.json`), JSON.stringify(entries, null, 2))
    use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
