// Bot challenges as the pipeline sees them (spec bots-and-users 1.2, 1.3, 1.7): is this client already proven, and what
// is a client told that is not. One implementation stands for now: nobody is proven but whom the caller declares to be
// (`weir inspect`), and the page says that it cannot verify yet.
import { randomUUID } from 'node:crypto'
import type { Action } from '#config'
import type { HumanLevel, RequestView } from '#request'

export type ChallengeType = 'challenge' | 'interactive_challenge'
type ChallengeAction = Extract<Action, { type: ChallengeType }>

export type ChallengeAnswer = {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

export type Challenges = {
  /** Proven at the level that the challenge asks for, or of a class that is never challenged. */
  satisfied(
    type: ChallengeType,
    human: HumanLevel,
    request: RequestView,
    tags: { has(tag: string): boolean },
  ): boolean
  answer(type: ChallengeType, request: RequestView, action: ChallengeAction): ChallengeAnswer
}

const preflight = (request: RequestView): boolean =>
  request.method === 'OPTIONS' &&
  request.headers.has('origin') &&
  request.headers.has('access-control-request-method')

/** The class decides whether a page or a machine-readable refusal helps (spec bots-and-users 1.7). */
function isNavigation(request: RequestView): boolean {
  const header = (name: string): string | undefined => request.headers.get(name)?.value
  const mode = header('sec-fetch-mode')
  const accept = header('accept')
  if (header('x-requested-with') !== undefined || header('upgrade') !== undefined) return false
  if (mode !== undefined && mode !== 'navigate') return false
  if (accept !== undefined && accept !== '*/*' && !accept.includes('text/html')) return false
  const { declared, mediaType } = request.body
  if (declared === 'json' || declared === 'xml' || mediaType?.startsWith('application/grpc') === true)
    return false
  return request.method === 'GET' || request.method === 'HEAD' || request.method === 'POST'
}

const page = (requestId: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Checking your browser</title>
</head>
<body>
<main>
<h1>Checking your browser</h1>
<p role="status">This site checks visitors before it answers. Your browser could not be verified.</p>
<noscript><p>JavaScript and cookies are needed.</p></noscript>
<p>Request ID: ${requestId.replace(/[^\w-]/g, '')}</p>
</main>
</body>
</html>
`

const pagePolicy =
  "default-src 'none'; connect-src 'self'; worker-src blob:; img-src data:; frame-ancestors 'self'; base-uri 'none'; form-action 'self'"

/** `path` is the secret path under which challenges are solved: `/` and three UUIDs. */
export function createChallenges(path = `/${randomUUID()}${randomUUID()}${randomUUID()}`): Challenges {
  return {
    satisfied(type, human, request, tags) {
      if (human === 'interactive' || human === 'mobile') return true
      if (human !== 'none' && type === 'challenge') return true
      return tags.has('let-s-encrypt') || preflight(request)
    },
    answer(type, request, action) {
      const kind = type === 'challenge' ? 'active' : 'interactive'
      if (isNavigation(request)) {
        return {
          status: action.status,
          headers: [
            ['content-type', 'text/html; charset=utf-8'],
            ['cache-control', 'no-store'],
            ['content-security-policy', pagePolicy],
          ],
          body: request.method === 'HEAD' ? '' : page(request.requestId),
        }
      }
      return {
        status: action.apiStatus ?? action.status,
        headers: [
          ['content-type', 'application/json'],
          ['cache-control', 'no-store'],
          ['x-weir-challenge', kind],
        ],
        body: JSON.stringify({ challenge: kind, url: path }),
      }
    },
  }
}
