// The page a refused visitor sees (spec pipeline 5.5): one document, no script, nothing fetched, readable without CSS.
// It exists so that a visitor who was refused by mistake can tell the owner which request it was.
import type { Action } from '#config'
import type { Answer } from './decision.ts'
import { excerptOf } from './excerpt.ts'

export type PageValues = {
  readonly status: number
  readonly requestId: string
  readonly sessionId: string
  readonly clientIp: string
  readonly host: string
  /** RFC 3339, UTC. */
  readonly time: string
}

export const htmlType = 'text/html; charset=utf-8'

const style = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:10vh auto;padding:0 1rem}
h1{font-size:1.5rem}th{text-align:left;font-weight:600;padding-right:1.5rem;vertical-align:top}td{font-family:ui-monospace,monospace;overflow-wrap:anywhere}`

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (c) => entities[c] ?? c)

/** Renders the default block page; every value is escaped. At most 8 KB. */
export function blockPage(values: PageValues): string {
  const rows: readonly (readonly [string, string])[] = [
    ['Request ID', values.requestId],
    ['Session ID', values.sessionId],
    ['Client IP', values.clientIp],
    ['Host', values.host],
    ['Time', values.time],
    ['Status', String(values.status)],
  ]
  const table = rows.map(
    ([name, value]) => `<tr><th scope="row">${name}</th><td>${escapeHtml(excerptOf(value, 512))}</td></tr>`,
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Access denied</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Access denied (${String(values.status)})</h1>
<p>This request was stopped by the protection of this site.</p>
<p>If you think that this is a mistake, contact the owner of the site and name the identifiers below.</p>
<table>
${table.join('\n')}
</table>
</main>
</body>
</html>
`
}

/** The page as a complete answer. */
export function pageAnswer(values: PageValues): Answer {
  return {
    status: values.status,
    headers: [
      ['cache-control', 'no-store'],
      ['content-type', htmlType],
    ],
    body: blockPage(values),
  }
}

/** An action without content, or with exactly `access denied`, shows the default page on error statuses. */
export function usesDefaultPage(block: Extract<Action, { type: 'block' }>): boolean {
  return block.status >= 400 && (block.content === undefined || block.content === 'access denied')
}
