// nginx with ModSecurity v3 and the OWASP Core Rule Set as Debian ships them: blocking, audit log off.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { frame, startNginx } from '../origin.ts'
import { freePort } from '../ports.ts'
import { unpacked } from '../tools.ts'
import { type Subject, together } from './subject.ts'

/**
 * Debian's nginx module brings the recommended settings of ModSecurity; those that differ here are what makes it
 * comparable: it blocks, writes no audit log, and reads no responses, as the others.
 */
const rules = (folder: string): string => `
Include ${unpacked('etc', 'nginx', 'modsecurity.conf')}
SecRuleEngine On
SecAuditEngine Off
SecResponseBodyAccess Off
SecTmpDir ${folder}/modsecurity
SecDataDir ${folder}/modsecurity
Include ${unpacked('etc', 'modsecurity', 'crs', 'crs-setup.conf')}
Include ${unpacked('usr', 'share', 'modsecurity-crs', 'rules')}/*.conf
`

const proxy = (port: number, originPort: number, folder: string): string => `
  upstream origin { server 127.0.0.1:${String(originPort)}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${String(port)} reuseport backlog=4096;
    client_max_body_size 150m;
    client_body_buffer_size 1m;
    modsecurity on;
    modsecurity_rules_file ${folder}/rules.conf;
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
    }
  }
`

const moduleFile = unpacked('usr', 'lib', 'nginx', 'modules', 'ngx_http_modsecurity_module.so')

export const modSecurity: Subject = {
  id: 'modsecurity',
  name: 'nginx + ModSecurity + CRS',
  missing: () => (existsSync(moduleFile) ? undefined : 'the Debian packages are not unpacked'),
  async start({ originPort }) {
    const port = await freePort()
    const nginx = await startNginx(port, (folder) => {
      mkdirSync(join(folder, 'modsecurity'))
      writeFileSync(join(folder, 'rules.conf'), rules(folder))
      return frame(folder, `load_module ${moduleFile};`, proxy(port, originPort, folder))
    })
    return together(port, nginx)
  },
}
