// Lua functions of an operator, run before or after the pipeline (spec control-plane 1.7). They are read and their places
// checked; nothing runs or compiles them in this version, and whoever lists one is told so, because a function that was
// meant to refuse something and does not run is a hole.
import { type Static, Type } from 'typebox'
import { finding } from '../findings.ts'
import type { Report } from '../problem.ts'
import { defineDocument } from './document.ts'
import { entrySchema, identityOf } from './common.ts'

/** Characters of one function. */
const longest = 65_536

const schema = entrySchema({
  id: Type.String({
    pattern: '^[A-Za-z0-9_]{1,64}$',
    description: 'Unique in its document, of letters, digits and "_"; how policies refer to the entry.',
    expected: 'an id of 1 to 64 letters, digits or "_"',
  }),
  code: Type.String({ maxLength: longest, description: 'Lua 5.4, at most 64 KiB.' }),
  phase: Type.Enum(['request_pre', 'request_post', 'response_pre', 'response_post'], {
    aliases: {
      request: 'request_pre',
      request0: 'request_pre',
      request1: 'request_post',
      response0: 'response_pre',
      response: 'response_post',
      response1: 'response_post',
    },
    description: 'When it runs: before or after the pipeline, on the request or on the response.',
  }),
  on_error: Type.Optional(
    Type.Enum(['continue', 'refuse'], {
      description: 'What becomes of a request whose function fails. Default: continue.',
    }),
  ),
  timeout_ms: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 100,
      description: 'Milliseconds of one run. Default: 10.',
    }),
  ),
})

export type EdgeFunctionEntry = {
  readonly id: string
  readonly name: string
  readonly phase: Static<typeof schema>['phase']
}

function parse(entry: Static<typeof schema>, report: Report): EdgeFunctionEntry {
  if (entry.code.trim() !== '')
    report.warning(
      'code',
      finding(
        'edge functions do not run yet: the code is kept, and neither compiled nor run',
        'Do what it does by global filters, rate limits or the origin until a version runs it.',
      ),
    )
  return { ...identityOf(entry), phase: entry.phase }
}

export const edgeFunctions = defineDocument({
  namespace: 'edge-functions',
  noun: 'edge function',
  title: 'Edge functions',
  description: 'Lua that runs on requests and responses.',
  waitsFor: 'a runtime for Lua',
  schema,
  examples: [
    {
      id: 'redirect_www',
      name: 'To the bare domain',
      description: '',
      phase: 'request_pre',
      code: 'if ngx.var.host == "www.example.com" then ngx.redirect("https://example.com/", 301) end',
    },
  ],
  parse,
})
