// The attack half of the corpus: each payload in three places, chosen in turn so that every category meets every place.
import { knownAttacks } from './attacks-known.ts'
import { attackCategories } from './attacks.ts'
import { toolAttacks } from './attacks-tools.ts'
import { type CorpusRequest, type Shape, browser, placementNames, placements } from './placements.ts'

const perPayload = 3

const client = (index: number): string => `203.0.113.${String(1 + (index % 250))}`

export function attackRequests(): readonly CorpusRequest[] {
  const requests: CorpusRequest[] = []
  const add = (category: string, where: string, shape: Shape): void => {
    const index = requests.length
    requests.push({
      name: `attack-${category}-${where}-${String(index)}`,
      label: 'attack',
      category,
      ip: client(index),
      authority: 'localhost',
      ...shape,
    })
  }
  let turn = 0
  for (const { category, values = [], targets = [], userAgents = [], bodies = [], headers = [] } of [
    ...attackCategories,
    ...knownAttacks,
    ...toolAttacks,
  ]) {
    for (const payload of values) {
      for (let k = 0; k < perPayload; k++) {
        const where = placementNames[turn++ % placementNames.length] ?? 'query'
        const place = placements[where]
        if (place !== undefined) add(category, where, place(payload))
      }
    }
    for (const path of targets) add(category, 'target', { method: 'GET', path, headers: browser })
    for (const agent of userAgents)
      add(category, 'user-agent', { method: 'GET', path: '/', headers: { ...browser, 'user-agent': agent } })
    for (const [contentType, body] of bodies)
      add(category, 'body', {
        method: 'POST',
        path: '/api',
        headers: { ...browser, 'content-type': contentType },
        body,
      })
    for (const [name, value] of headers)
      add(category, 'header', {
        method: 'POST',
        path: '/api',
        headers: { ...browser, [name]: value },
        body: 'a=1',
      })
  }
  return requests
}
