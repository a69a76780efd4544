// Apps that sign their requests, and the builds whose signatures count (spec control-plane 1.7). They are read and
// referred to; nothing checks signatures in this version.
import { type Static, Type } from 'typebox'
import { finding, outOfRange, wrongType } from '../findings.ts'
import type { Report } from '../problem.ts'
import { fieldPath, isObject } from '../schema/json.ts'
import { defineDocument } from './document.ts'
import { entrySchema, identityOf, partSchema } from './common.ts'

/** What an app on an emulator presents instead of the digest of its certificate. */
const emulator = 'abadbabe'

const flag = Type.Optional(Type.Boolean({ description: 'Default: false.' }))

const signature = partSchema({
  name: Type.Optional(Type.String({ maxLength: 250, description: 'For people.' })),
  hash: Type.String({
    description: `SHA-256 of the app's signing certificate, 64 hexadecimal digits; \`${emulator}\`: emulators and debug builds.`,
  }),
  active: flag,
})

const profile = partSchema({
  name: Type.Optional(Type.String({ maxLength: 250, description: 'For people.' })),
  json: Type.Optional(
    Type.Union([Type.String(), Type.Record(Type.String(), Type.Unknown())], {
      description: 'Settings for the apps, a JSON object or its text. Default: {}.',
      expected: 'a JSON object or its text',
    }),
  ),
  active: flag,
})

const schema = entrySchema({
  uid_header: Type.Optional(
    Type.String({
      pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]*$",
      description: "Header with the user's token; its hash is signed. Default: none.",
      expected: 'a header name',
    }),
  ),
  grace: Type.Optional(
    Type.Union([Type.String(), Type.Number()], {
      description:
        'Allowed distance between the time in a request and its arrival: seconds, `60`, `60s` or `2m`. 1 to 86400 s. Default: "60".',
      expected: 'a duration such as "60" or "2m"',
    }),
  ),
  signatures: Type.Optional(Type.Array(signature, { description: 'App builds. Default: none.' })),
  active_config: Type.Optional(
    Type.Array(profile, {
      description: 'Settings that apps fetch; at most one is active. Default: none, each app uses its own.',
    }),
  ),
  secret: Type.Optional(
    Type.String({
      description: '32 random bytes in base64 that the app was built with; also `env:NAME`, `file:/path`.',
    }),
  ),
  on_invalid: Type.Optional(
    Type.Enum(['block', 'tag'], { description: 'Requests whose signature does not hold. Default: block.' }),
  ),
})
type Entry = Static<typeof schema>

export type MobileApplicationGroupEntry = {
  readonly id: string
  readonly name: string
  /** Nothing is signed: as if a site had no group. */
  readonly empty: boolean
}

function checkGrace(grace: string | number, report: Report): void {
  const [, digits, unit] = /^([0-9]{1,6})(s|m)?$/.exec(String(grace)) ?? []
  const seconds = Number(digits) * (unit === 'm' ? 60 : 1)
  if (!(seconds >= 1 && seconds <= 86_400)) report.problem('grace', outOfRange(1, 86_400, grace))
}

function checkHash(hash: string, field: string, report: Report): void {
  if (hash === emulator || /^[0-9a-f]{64}$/.test(hash)) return
  const plain = hash.toLowerCase().replaceAll(/[:\s]/g, '')
  report.problem(
    field,
    /^[0-9a-f]{64}$/.test(plain)
      ? finding('must be 64 lower-case hexadecimal digits without separators', `Write "${plain}".`)
      : wrongType(`64 lower-case hexadecimal digits, or ${emulator}`, hash),
  )
}

function isJsonObject(text: string): boolean {
  try {
    return isObject(JSON.parse(text))
  } catch {
    return false
  }
}

function checkProfiles(profiles: NonNullable<Entry['active_config']>, report: Report): void {
  profiles.forEach(({ json }, i) => {
    if (typeof json === 'string' && json.trim() !== '' && !isJsonObject(json))
      report.problem(
        fieldPath(fieldPath('active_config', i), 'json'),
        wrongType('a JSON object or its text', json),
      )
  })
  const active = profiles.filter(({ active }) => active === true).length
  if (active > 1)
    report.problem(
      'active_config',
      finding(`${String(active)} profiles are active`, 'Leave one active; apps follow a single one.'),
    )
}

function checkSecret(entry: Entry, signed: boolean, report: Report): void {
  const secret = entry.secret ?? ''
  if (secret === '') {
    if (signed)
      report.warning(
        'secret',
        finding(
          'without a secret a signature proves only knowledge of a public digest',
          'Give the group a secret of 32 random bytes, and build it into the app.',
        ),
      )
    return
  }
  if (/^(?:env|file|enc):./.test(secret)) return
  if (!/^[A-Za-z0-9+/]{43}=$/.test(secret))
    report.problem('secret', finding('must be 32 bytes in base64', 'Make one with: openssl rand -base64 32'))
}

function parse(entry: Entry, report: Report): MobileApplicationGroupEntry {
  const signatures = entry.signatures ?? []
  checkGrace(entry.grace ?? '60', report)
  checkProfiles(entry.active_config ?? [], report)
  signatures.forEach(({ hash, active }, i) => {
    const field = `${fieldPath('signatures', i)}.hash`
    checkHash(hash, field, report)
    if (hash === emulator && active === true)
      report.warning(
        field,
        finding('emulators and debug builds count as the app', 'Switch it off where real users are served.'),
      )
  })
  const signed = signatures.some(({ active }) => active === true)
  checkSecret(entry, signed, report)
  return { ...identityOf(entry), empty: !signed }
}

export const mobileApplicationGroups = defineDocument({
  namespace: 'mobile-application-groups',
  noun: 'mobile application group',
  title: 'Mobile application groups',
  description: 'Apps whose signed requests count as human.',
  waitsFor: 'the check of signatures of apps',
  schema,
  examples: [
    {
      id: 'shop-app',
      name: 'Shop app',
      description: '',
      uid_header: 'authorization',
      grace: '60',
      signatures: [
        {
          name: 'store build',
          hash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
          active: true,
        },
      ],
      active_config: [{ name: 'Default', active: true, json: '{}' }],
      secret: 'env:SHOP_APP_SECRET',
    },
  ],
  parse,
})
