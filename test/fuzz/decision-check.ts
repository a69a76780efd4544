// What every decision must be, whatever was asked: an answer that a client understands, and a record that Envoy, the
// journal and the console can carry. Throws at the first thing that is wrong.
import type { Answer, Decision, DecisionRecord } from '#pipeline'
import { splitText } from '../../src/traffic/record.ts'

const fail = (what: string): never => {
  throw new Error(`decision: ${what}`)
}

const tagShape = /^[a-z0-9:-]+$/
const longestTag = 256
const headerName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i

function checkHeaders(headers: Answer['headers'], of: string): void {
  for (const [name, value] of headers) {
    if (!headerName.test(name)) fail(`${of} header is called ${JSON.stringify(name.slice(0, 60))}`)
    if (/[\r\n\0]/.test(value)) fail(`${of} header ${name} is not one line`)
    if (!value.isWellFormed()) fail(`${of} header ${name} is no text`)
  }
}

function checkAnswer({ action, answer, record }: Decision): void {
  const answers = action === 'block' || action === 'challenge' || action === 'interactive_challenge'
  if (answers !== (answer !== undefined)) fail(`${action} ${answers ? 'without' : 'with'} an answer`)
  if (record.blocked !== (action === 'block')) fail(`${action}, but blocked is ${String(record.blocked)}`)
  if (record.challenge !== (action === 'challenge'))
    fail(`${action}, but challenge is ${String(record.challenge)}`)
  if (record.ichallenge !== (action === 'interactive_challenge')) fail(`${action} is not recorded`)
  if (answers !== (record.reason !== null)) fail(`${action} with the reason ${String(record.reason)}`)
  if (answer === undefined) return
  const { status } = answer
  if (!Number.isInteger(status) || status < 200 || status > 599) fail(`status ${String(status)}`)
  if (!record.tags.includes(`status:${String(status)}`)) fail(`no tag status:${String(status)}`)
  if (!answer.body.isWellFormed()) fail('the body of the answer is no text')
  checkHeaders(answer.headers, 'answer')
}

function checkTags({ tags }: DecisionRecord): void {
  if (tags.length > 0 && !tags.includes('all')) fail('no tag all')
  let before = ''
  for (const tag of tags) {
    if (!tagShape.test(tag)) fail(`tag ${JSON.stringify(tag)}`)
    if (tag.length > longestTag) fail(`tag of ${String(tag.length)} characters`)
    if (tag <= before) fail(`tag ${tag} after ${before}`)
    before = tag
  }
}

/** Half a surrogate pair cannot be written as UTF-8. */
function checkText(value: unknown, path: string): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) fail(`${path} is no text`)
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) fail(`${path} is ${String(value)}`)
  } else if (value === undefined || typeof value === 'function') fail(`${path} is ${typeof value}`)
  else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      if (!name.isWellFormed()) fail(`a name in ${path} is no text`)
      checkText(inner, `${path}.${name.slice(0, 40)}`)
    }
  }
}

function checkTriggers({ trigger_counters: counters, ...record }: DecisionRecord): void {
  const kept = {
    acl: record.acl_triggers.length,
    gf: record.gf_triggers.length,
    dr: record.dr_triggers.length,
    rl: record.rl_triggers.length,
    cf: record.cf_triggers.length,
    cf_restrict: record.cf_restrict_triggers.length,
  }
  for (const [name, length] of Object.entries(kept)) {
    const counted = Object.entries(counters).find(([key]) => key === name)?.[1] ?? -1
    if (counted < length || (!record.truncated && counted !== length))
      fail(`${String(length)} triggers of ${name}, counted ${String(counted)}`)
  }
}

/** The control plane reads the head alone, and finds its end whatever clients send. */
function checkSplit(json: string): void {
  const split = splitText(json)
  if (split === undefined) return fail('its record would have to be parsed whole')
  if (`${JSON.stringify(split.head).slice(0, -1)},${split.rest}}` !== json)
    fail('the record is cut elsewhere')
}

/** `maxRecordBytes`: what the record's JSON may have. */
export function checkDecision(decision: Decision, maxRecordBytes: number): void {
  const { record } = decision
  checkAnswer(decision)
  checkTags(record)
  checkTriggers(record)
  checkHeaders(decision.requestHeaders, 'request')
  if (record.truncated !== record.omitted.length > 0) fail('truncated, but nothing is omitted')
  if (record.processing_stage < 0 || record.processing_stage > 7)
    fail(`stage ${String(record.processing_stage)}`)
  const json = JSON.stringify(record)
  checkSplit(json)
  const bytes = Buffer.byteLength(json)
  if (bytes > maxRecordBytes) fail(`a record of ${String(bytes)} bytes, ${String(maxRecordBytes)} allowed`)
  checkText(record, 'record')
}
