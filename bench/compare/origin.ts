// The origin behind every measured server: nginx that answers 200 with a short text at once. Its processor time is
// the same for all and not counted.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './ports.ts'
import { type Running, start } from './processes.ts'
import { program } from './tools.ts'

/** Starts nginx from a configuration in a folder of its own, in the foreground. */
export async function startNginx(port: number, config: (folder: string) => string): Promise<Running> {
  const { file, env } = program('nginx')
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-nginx-'))
  const configFile = join(folder, 'nginx.conf')
  writeFileSync(configFile, config(folder))
  const nginx = await start(file, ['-p', folder, '-c', configFile, '-e', join(folder, 'error.log')], {
    env,
    port,
  })
  return {
    ...nginx,
    async stop() {
      await nginx.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** What nginx needs to run in the foreground from any folder, under any user. */
export const frame = (folder: string, main: string, http: string): string => `
daemon off;
worker_processes 1;
pid ${folder}/pid;
${main}
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_requests 1000000000;
  ${http}
}
`

export type Origin = { readonly port: number; stop(): Promise<void> }

export async function startOrigin(): Promise<Origin> {
  const port = await freePort()
  const nginx = await startNginx(port, (folder) =>
    frame(
      folder,
      '',
      `server { listen 127.0.0.1:${String(port)} reuseport backlog=4096; location / { default_type text/plain; return 200 "hello\\n"; } }`,
    ),
  )
  return { port, stop: nginx.stop }
}
