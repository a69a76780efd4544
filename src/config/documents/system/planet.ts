// What holds for everything that one configuration governs (spec control-plane 1.7, bots 1.12): who may state a client
// address where a template does not say, and how challenges look and behave. There are no challenges in this version.
import { Type } from 'typebox'
import { notUsedYet } from '../../findings.ts'
import { partSchema } from '../common.ts'
import { readTrustedNets, trustedNet } from '../trusted-nets.ts'
import { defineSystemEntry } from './system-entry.ts'

const count = (minimum: number, maximum: number, says: string) =>
  Type.Optional(Type.Integer({ minimum, maximum, description: `${says}.` }))
const flag = (description: string) => Type.Optional(Type.Boolean({ description }))
const word = <const W extends readonly string[]>(words: W, description: string) =>
  Type.Optional(Type.Enum([...words], { description }))
const colour = Type.String({ pattern: '^#[0-9A-Fa-f]{6}$', expected: 'a colour such as #0b1f33' })

const language = partSchema({
  title: Type.Optional(Type.String({ maxLength: 250, description: 'Heading of the page.' })),
  buttons: Type.Optional(
    Type.Array(Type.String({ maxLength: 100 }), {
      minItems: 2,
      maxItems: 2,
      description: 'The two buttons, in the order in which they appear.',
    }),
  ),
  img: Type.Optional(
    Type.String({
      pattern: '^(|data:image/.*|/.*|https://.*)$',
      description: 'data:, https: or a path of the site.',
      expected: 'a data: or https: URL, or a path',
    }),
  ),
})

const page = partSchema(
  {
    attrs: Type.Optional(
      partSchema(
        {
          direction: word(['ltr', 'rtl'], 'Default: ltr.'),
          style: word(['logo', 'wallpaper'], 'Default: logo.'),
        },
        { description: 'Direction and style of the page.' },
      ),
    ),
    palette: Type.Optional(
      Type.Array(colour, {
        minItems: 4,
        maxItems: 4,
        description: 'Page, text, button, text of the button.',
      }),
    ),
    position: Type.Optional(
      partSchema(
        { panel: Type.Optional(Type.String({ description: 'Default: center.' })) },
        { description: 'Where things stand on the page.' },
      ),
    ),
    lang: Type.Optional(
      Type.Record(Type.String(), language, { description: 'Language code → texts. Default: English.' }),
    ),
  },
  { description: 'The page of the interactive challenge.', waitsFor: 'challenges that a client can pass' },
)

const challenge = partSchema(
  {
    path: Type.Optional(
      Type.String({ description: 'Path of the challenge. Default: derived from its key.' }),
    ),
    active: Type.Optional(
      partSchema(
        { enabled: flag('false: active challenges only monitor. Default: true.') },
        { description: 'Challenges that are shown as a page.' },
      ),
    ),
    passive: Type.Optional(
      partSchema(
        { enabled: flag('Default: true.') },
        { description: 'Challenges that go along with pages of the site.' },
      ),
    ),
    sensitivity: word(['low', 'standard', 'high'], 'Default: standard.'),
    pow: Type.Optional(
      partSchema(
        {
          bits: count(1, 30, 'Proof of work, bits. Default: 14'),
          rounds: count(1, 64, 'Rounds. Default: 4'),
          max_bits: count(1, 30, 'Under load. Default: 20'),
        },
        { description: 'Work that a browser does.' },
      ),
    ),
    surge_threshold: count(1, 1_000_000, 'Challenges per second. Default: 200'),
    max_failures: count(1, 100, 'Failures before a client has to wait. Default: 3'),
    fail_hold: count(1, 86_400, 'Seconds. Default: 60'),
    proof_ttl: count(60, 86_400, 'Seconds. Default: 3600'),
    proof_max: count(60, 604_800, 'Seconds. Default: 43200'),
    roam_limit: count(1, 1000, 'Networks per hour. Default: 5'),
    proof_budget: count(1, 1_000_000, 'Requests in ten minutes. Default: 3000'),
    bind_tls: word(['off', 'report', 'enforce'], 'Default: report.'),
    samesite: word(['lax', 'strict', 'none'], 'Default: lax.'),
    forward_proof: flag('Default: false.'),
    renew: word(['navigation', 'script'], 'Default: navigation.'),
    interactive: Type.Optional(
      partSchema(
        {
          ttl: count(60, 86_400, 'Seconds. Default: 900'),
          puzzles: Type.Optional(
            Type.Array(Type.Enum(['orient', 'match']), { minItems: 1, description: 'Default: both.' }),
          ),
          alternatives: Type.Optional(
            Type.Array(Type.Enum(['audio', 'wait']), {
              description: 'For those who cannot solve these. Default: audio.',
            }),
          ),
        },
        { description: 'Challenges that a person solves.' },
      ),
    ),
    biometrics: Type.Optional(
      partSchema(
        {
          enabled: flag('Default: true.'),
          enforce: flag('Default: false.'),
          bot_below: count(0, 100, 'Scores below are bots. Default: 20'),
          human_above: count(0, 100, 'Scores from here are humans. Default: 70'),
        },
        { description: 'What the movements of a visitor say.' },
      ),
    ),
    respect_gpc: flag('Global Privacy Control. Default: true.'),
  },
  { description: 'How challenges are issued and proven.', waitsFor: 'challenges that a client can pass' },
)

export const planet = defineSystemEntry({
  id: 'planet',
  description: 'Client addresses and challenges of everything that this configuration governs.',
  schema: partSchema({
    id: Type.Optional(Type.Literal('__default__', { description: 'There is one planet.' })),
    name: Type.Optional(
      Type.String({ minLength: 1, maxLength: 250, description: 'For people. Default: weir.' }),
    ),
    description: Type.Optional(Type.Union([Type.String(), Type.Null()], { description: 'For people.' })),
    trusted_nets: Type.Optional(
      Type.Union([Type.Null(), Type.Array(trustedNet)], {
        description: 'Who may state a client address at sites whose template has null. Default: nobody.',
        expected: 'null or a list of trusted sources',
      }),
    ),
    ichallenge: Type.Optional(page),
    challenge: Type.Optional(challenge),
  }),
  example: {
    name: 'weir',
    trusted_nets: [{ source: 'ip', address: '10.0.0.0/8', comment: 'load balancers' }],
    challenge: {},
  },
  parse(value, report) {
    for (const field of ['ichallenge', 'challenge'] as const)
      if (Object.keys(value[field] ?? {}).length > 0) report.warning(field, notUsedYet(field))
    return { planetTrusts: readTrustedNets(value.trusted_nets ?? [], 'trusted_nets', report) }
  },
})
