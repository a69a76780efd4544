// URLs of revocation lists, as sites and CAs name them (spec control-plane 1.1, 1.6). Only what can never be fetched is
// refused here; which hosts and ports may be asked is a setting of the machine that fetches.
import { finding, show } from '../findings.ts'
import type { Report } from '../problem.ts'
import { fieldPath } from '../schema/json.ts'

function reasonAgainst(text: string): string | undefined {
  if (text.length > 2048) return 'has more than 2048 characters'
  if (!URL.canParse(text)) return 'is no URL'
  const { protocol, username, password } = new URL(text)
  if (protocol !== 'http:' && protocol !== 'https:') return 'is neither http nor https'
  return username === '' && password === '' ? undefined : 'contains a user name'
}

/** Reports those that cannot be fetched. */
export function checkListUrls(field: string, urls: readonly string[], report: Report): void {
  for (const [index, url] of urls.entries()) {
    const reason = reasonAgainst(url)
    if (reason !== undefined)
      report.problem(
        fieldPath(field, index),
        finding(reason, `Replace ${show(url)} by a URL such as http://crl.example.com/ca.crl.`),
      )
  }
}
