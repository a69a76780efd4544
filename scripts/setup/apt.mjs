// Debian packages, where the set-up may install them: as root on a machine with apt-get.
import { onPath, run } from './command.mjs'

let updated = false

/** Whether missing programs can be installed without asking anybody. */
export const canInstall = () => process.getuid?.() === 0 && onPath('apt-get') !== undefined

/** Installs packages; reads the package lists once per set-up. */
export async function install(name, packages) {
  const remedy = `install ${packages.join(' ')} yourself and start again`
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = ['apt-get', '-o', 'DPkg::Lock::Timeout=300']
  if (!updated) await run(name, [...apt, 'update'], { env, remedy })
  updated = true
  await run(name, [...apt, 'install', '-y', '--no-install-recommends', ...packages], { env, remedy })
}
