import { expect, test } from '@jest/globals'
import { type Policy, type ProxyTemplate, buildPolicy } from '#config'
import { envoyRemedy } from './envoy-remedy.ts'

const patch = {
  name: 'rings',
  configuration: '[{"target": "cluster", "merge": {"lb_policy": "RING_HASH"}}]',
}

/** One site a template. */
function policyWith(templates: readonly (readonly [id: string, patches: readonly object[]])[]): Policy {
  const built = buildPolicy({
    'proxy-templates': templates.map(([id, advanced_configuration]) => ({
      id,
      name: id,
      advanced_configuration,
    })),
    'backend-services': [{ id: 'app', http11: true, least_conn: false, back_hosts: [{ host: '192.0.2.1' }] }],
    'security-policies': [
      { id: 'sp', map: [{ id: '__default_entry__', name: 'default', match: '/', backend_service: 'app' }] },
    ],
    'server-groups': templates.map(([id]) => ({
      id,
      server_names: [`${id}.example.com`],
      security_policy: 'sp',
      proxy_template: id,
    })),
  })
  if (!built.ok) throw new Error(JSON.stringify(built.problems))
  return built.policy
}

const plain: Policy = policyWith([['plain', []]])
const patched = (...ids: readonly string[]): Policy =>
  policyWith([['plain', []], ...ids.map((id) => [id, [patch]] as const)])

test('templates with patches are named, with document and field', () => {
  const words = envoyRemedy(patched('t1'))
  expect(words).toContain(
    'proxy-templates.json, field advanced_configuration, entry "t1"; weir validate --envoy',
  )
  expect(words).not.toContain('"plain"')
  expect(envoyRemedy(patched('t1', 't2'))).toContain('entries "t1", "t2";')
})

test('the default template counts too: it patches what all sites share', () => {
  const defaultTemplate: ProxyTemplate = {
    ...plain.defaultTemplate,
    advanced: patched('t1').serverGroups.flatMap(({ template }) => template.advanced),
  }
  expect(envoyRemedy({ ...plain, defaultTemplate })).toContain(`entry ${JSON.stringify(defaultTemplate.id)};`)
})

test('of many only some', () => {
  const words = envoyRemedy(patched('a', 'b', 'c', 'd', 'e', 'f', 'g'))
  expect(words).toContain('entries "a", "b", "c", "d", "e" and 2 more;')
})

test('without a patch it is a defect of Weir', () => {
  expect(envoyRemedy(plain)).toBe(
    'No template patches what Envoy gets, so this is a defect of Weir: please report it with what Envoy says.',
  )
})

test('of what was made before this start both are said', () => {
  expect(envoyRemedy(undefined)).toMatch(
    /advanced_configuration\), correct the patch; otherwise .* a defect of Weir/,
  )
})
