// What the quickstart says when it is ready: where things are, and four commands with what to expect of them; and later what
// became of a changed folder.
import type { ChildMessage } from './messages.ts'

export type Welcome = {
  readonly url: string
  /** The same over TLS; undefined: nothing listens for it. */
  readonly tls: string | undefined
  /** How to call weir from here. */
  readonly program: string
  readonly config: string
  /** The folder that ships, which an operator should copy and not change. */
  readonly shipped: boolean
  readonly journal: string
  readonly backend: string | undefined
  /** The demo shop runs there; otherwise something of the operator's. */
  readonly demo: boolean
  readonly filters: number
}

/** A word of a shell's command line; quoted if it has to be. */
const word = (text: string): string =>
  /^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`

function origin({ backend, demo }: Welcome): string {
  if (backend === undefined) return 'the backend of your configuration'
  return demo ? `the demo shop on http://${backend}` : `what listens on http://${backend}`
}

function howToChange({ shipped, config, program, url }: Welcome): string {
  const port = /:(\d+)$/.exec(url)?.[1]
  const withPort = port === undefined || port === '8080' ? '' : ` --port ${port}`
  return shipped
    ? `cp -r ${word(config)} my-site, then start with --config: ${word(program)} quickstart --config my-site${withPort}`
    : `edit the files in ${word(config)}: a good change is in force within a second, a broken one is refused`
}

/** Injection into the query of the explained request: the same as in the second command. */
const injection = '/search?q=1%27%20union%20select%20password%20from%20users--'

/** The certificate that sites have until they get one signs itself, so programs must be told to take it. */
const overTls = ({ tls }: Welcome): string =>
  tls === undefined
    ? ''
    : `\nOver TLS:                     curl -ik ${tls}/     (the certificate is a placeholder; -k takes it)`

export function welcome(shown: Welcome): string {
  const { url, program, config, journal } = shown
  const weir = word(program)
  const sample = JSON.stringify({
    ip: '203.0.113.9',
    method: 'GET',
    authority: 'localhost',
    path: injection,
  })
  return `
ready: ${url} is protected by Weir, in front of ${origin(shown)}

Try, in another terminal:

  1. A good request: 200
     curl -i '${url}/search?q=lamp'

  2. An SQL injection in a query: 473 and a block page with a request id
     curl -i '${url}${injection}'

  3. A path traversal in a JSON body: 473
     curl -i ${url}/api/cart -H 'content-type: application/json' -d '{"items":[{"sku":"A-1","note":"../../../../etc/passwd"}]}'

  4. The second request, explained: each stage, what it saw, why the answer is 473 with reason "Content filter: …"
     echo '${sample}' | ${weir} inspect --config ${word(config)} --requests - --explain
${overTls(shown)}
What happened, one line each: ${weir} events --last 5     (--follow goes on; whole events: ${journal})
Change the policy:            ${howToChange(shown)}
Stop:                         Ctrl-C

`
}

/**
 * What to print about a message of the control plane; undefined: nothing. A control plane that starts on what is in force
 * already says so too, and that is no change.
 * @param revision in force at the beginning
 */
export function changesOf(config: string, revision: string): (message: ChildMessage) => string | undefined {
  let inForce = revision
  let isRefused = false
  return (message) => {
    if (message.kind === 'refused') {
      isRefused = true
      return `The changed configuration in ${config} is refused; the one before stays in force.\n`
    }
    if (message.kind !== 'policy') return undefined
    const isAgain = message.revision === inForce
    const tells = !isAgain || isRefused
    isRefused = false
    inForce = message.revision
    if (!tells) return undefined
    return isAgain
      ? `The configuration in ${config} is again the one in force.\n`
      : `The changed configuration is in force (revision ${inForce}).\n`
  }
}
