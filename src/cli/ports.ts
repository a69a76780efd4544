// Are the ports free? Asked before anything starts, because a port that is taken is the usual reason why a start fails, and
// half a started system is the worst way to learn it.
import { createServer } from 'node:net'
import { type SettingName, type SocketPlace, formatPlace, variableOf } from '#platform'
import { optionOf } from './options.ts'

/** `remedy`: what to do when it is taken. */
export type Wanted = { readonly place: SocketPlace; readonly what: string; readonly remedy: string }

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

/** What a command has in place of the usual ways to change a setting: `--port`. */
export type Ways = Partial<Readonly<Record<SettingName, string>>>

/** The remedy for a place that a setting chooses. */
export const chooseAnother = (setting: SettingName, own: Ways = {}): string => {
  const way = own[setting]
  if (way !== undefined) return `choose another with ${way}`
  const option = optionOf(setting)
  const ways = [...(option === undefined ? [] : [option]), variableOf(setting)]
  return `choose another with ${ways.join(' or ')}, or ${setting} in weir.yaml`
}

/** Every place that is taken, with what to do about it. */
export async function takenPlaces(wanted: readonly Wanted[]): Promise<readonly string[]> {
  const reasons = await Promise.all(wanted.map(({ place }) => whyNotListen(place)))
  return wanted.flatMap(({ place, what, remedy }, i) => {
    const reason = reasons[i]
    return reason === undefined ? [] : [`${formatPlace(place)} (${what}) ${reason}; ${remedy}`]
  })
}
