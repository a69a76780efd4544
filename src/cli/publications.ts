// What is published, and what of it is in force. A publish that a node refuses is undone; from then on everything that is
// made anew, such as the lists of listeners after a revocation, is made of the policy before. One publish goes on at a time, so
// that which of them is in force is known when the next one is made.
import type { EncodedDocument, Policy } from '#config'
import type { Ads, NodeNack, PublishResult, Snapshot } from '#envoy'
import { envoyRemedy } from './envoy-remedy.ts'

/** What is published, apart from revocation lists. */
export type Publication = {
  readonly policy: Policy
  readonly documents: readonly EncodedDocument[]
  readonly maskingSeed: string | undefined
}

export type PublicationsOptions = {
  readonly ads: Pick<Ads, 'publish' | 'status'>
  /** With the revocation lists of this moment. What it throws refuses the publication. */
  readonly build: (publication: Publication) => Snapshot
  /** Called with those that are in force or may get there: when one is put, and when it is known what became of it. */
  readonly onChange: (possible: readonly Publication[]) => void
  /** What became of a publication that was put. */
  readonly onOutcome: (publication: Publication, outcome: 'in force' | 'refused') => void
  readonly log: {
    info(fields: object, message: string): void
    warn(fields: object, message: string): void
    error(fields: object, message: string): void
  }
}

export type Publications = {
  /** Publishes after those that are going on. Throws what `build` throws, and then nothing has changed. */
  put(publication: Publication): void
  /** Publishes what is in force once more, because what it is made with has changed. */
  again(): void
  /** Says what to do about a refusal; undefined: its own words do. It is logged at the end of a publish, and outside of one here. */
  refused(nack: Pick<NodeNack, 'node' | 'role'>): string | undefined
  readonly inForce: Publication | undefined
}

const isRefusedByEnvoy = ({ nodes }: PublishResult): boolean =>
  nodes.some(({ role, state }) => role === 'envoy' && state === 'nacked')

export function createPublications({
  ads,
  build,
  onChange,
  onOutcome,
  log,
}: PublicationsOptions): Publications {
  let inForce: Publication | undefined
  let going: Publication | undefined
  const undecided = new Set<Publication>()
  let last: Promise<void> = Promise.resolve()

  /** What runs from before a start is not known here, so that its lists stay as they are. */
  function tellChange(): void {
    const possible = new Set([...(inForce === undefined ? [] : [inForce]), ...undecided])
    if (possible.size > 0) onChange([...possible])
  }

  /** Whether all nodes took it. */
  async function send(publication: Publication, make: () => Snapshot): Promise<boolean> {
    const { revision } = publication.policy
    try {
      const snapshot = make()
      going = publication
      const result = await ads.publish(snapshot)
      const { ok, nodes } = result
      // Where there was nothing before, what is refused stays offered.
      if (ads.status().snapshot === snapshot.version) inForce = publication
      if (ok) log.info({ revision, nodes }, 'published')
      else {
        const remedy = isRefusedByEnvoy(result) ? `. ${envoyRemedy(publication.policy)}` : ''
        log.warn(
          { revision, nodes },
          `not published: a node refused it, and what ran before is back${remedy}`,
        )
      }
      return ok
    } catch (error) {
      log.error({ err: error, revision }, 'not published')
      return false
    } finally {
      going = undefined
    }
  }

  /** One after the other; what fails must not keep back what comes next. */
  function queue(task: () => Promise<void>): void {
    last = last.then(task).catch((error: unknown) => log.error({ err: error }, 'a publish was not concluded'))
  }

  return {
    put(publication) {
      const snapshot = build(publication)
      queue(async () => {
        const ok = await send(publication, () => snapshot)
        undecided.delete(publication)
        onOutcome(publication, ok ? 'in force' : 'refused')
        tellChange()
      })
      undecided.add(publication)
      tellChange()
    },
    again() {
      queue(async () => {
        const publication = inForce
        if (publication !== undefined) await send(publication, () => build(publication))
      })
    },
    refused({ node, role }) {
      if (role !== 'envoy') return undefined
      const remedy = envoyRemedy((going ?? inForce)?.policy)
      if (going === undefined) log.warn({ node }, `an Envoy refused what it is offered. ${remedy}`)
      return remedy
    },
    get inForce() {
      return inForce
    },
  }
}
