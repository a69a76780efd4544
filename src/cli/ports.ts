// Are the ports free? Asked before anything starts, because a port that is taken is the usual reason why a start fails, and
// half a started system is the worst way to learn it.
import { createServer } from 'node:net'
import { type SettingName, type SocketPlace, formatPlace, variableOf } from '#platform'
import { optionOf } from './options.ts'

export type Wanted = { readonly place: SocketPlace; readonly setting: SettingName; readonly what: string }

/** Why nobody can listen there; undefined: somebody can. */
export function whyNotListen({ host, port }: SocketPlace): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(
        error.code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used: ${error.message}`,
      ),
    )
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })
}

const remedy = (setting: SettingName): string => {
  const option = optionOf(setting)
  const ways = [...(option === undefined ? [] : [option]), variableOf(setting)]
  return `choose another with ${ways.join(' or ')}, or ${setting} in weir.yaml`
}

/** Every place that is taken, with what to do about it. */
export async function takenPlaces(wanted: readonly Wanted[]): Promise<readonly string[]> {
  const reasons = await Promise.all(wanted.map(({ place }) => whyNotListen(place)))
  return wanted.flatMap(({ place, setting, what }, i) => {
    const reason = reasons[i]
    return reason === undefined ? [] : [`${formatPlace(place)} (${what}) ${reason}; ${remedy(setting)}`]
  })
}
