// Programs of Debian packages without installing them: the packages and what they need are fetched and unpacked into a
// folder of the cache. Nothing on the machine changes, and no service starts.
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { onPath, run } from './command.mjs'
import { SetupFailure } from './failure.mjs'
import { fillFolder } from './folder.mjs'

/** Unpacks packages, and those they need that this machine lacks, into `target`. */
export async function unpackPackages(name, packages, target) {
  const remedy = `install ${packages.join(' ')} yourself, or run this on Debian or Ubuntu as root`
  if (onPath('apt-get') === undefined || onPath('dpkg-deb') === undefined)
    throw new SetupFailure(`${name} comes from Debian packages, and there is no apt-get here`, remedy)
  await fillFolder(target, async (draft) => {
    const archives = join(draft, 'archives')
    mkdirSync(join(archives, 'partial'), { recursive: true })
    const apt = ['apt-get', '-o', 'DPkg::Lock::Timeout=300', '-o', `Dir::Cache::archives=${archives}`]
    const fetch = ['install', '-y', '--no-install-recommends', '--download-only', '--reinstall', ...packages]
    await run(name, [...apt, 'update'], { remedy })
    await run(name, [...apt, ...fetch], { remedy })
    for (const file of readdirSync(archives).filter((one) => one.endsWith('.deb')))
      await run(name, ['dpkg-deb', '-x', join(archives, file), draft], { remedy })
  })
}

/** The environment in which a program of such a folder finds its libraries. */
export function unpackedEnvironment(folder) {
  const libraries = join(folder, 'usr', 'lib')
  if (!existsSync(libraries)) return process.env
  const folders = readdirSync(libraries)
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => join(libraries, name))
  return {
    ...process.env,
    LD_LIBRARY_PATH: [...folders, libraries, process.env.LD_LIBRARY_PATH ?? ''].join(':'),
  }
}
