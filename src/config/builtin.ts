// Entries that every configuration has (spec control-plane 1.0, pipeline 8). They stand in where a folder leaves them out,
// so that a small folder works; the operator's own entry of the same id takes their place.

const block = (id: string, name: string, status: number, tag: string): object => ({
  id,
  name,
  type: 'block',
  tags: [tag],
  params: { status, headers: { 'content-type': 'text/html' }, content: 'access denied' },
})

const limits = (max_count: number, max_length: number): object => ({ max_count, max_length })

export const builtin: Readonly<Record<string, readonly object[]>> = {
  actions: [
    { id: 'action-monitor', name: 'monitor (tag only)', type: 'monitor', tags: ['action:monitor'] },
    { id: 'action-skip', name: 'skip security', type: 'skip', tags: ['action:skip'] },
    { id: 'action-challenge', name: 'challenge', type: 'challenge', tags: ['action:challenge'] },
    block('action-global-filter-block', 'Global filter block', 470, 'action:global-filter-block'),
    block('action-rate-limit-block', 'Rate-limit block', 471, 'action:rate-limit-block'),
    block('action-acl-block', 'ACL block', 472, 'action:acl-block'),
    block('action-contentfilter-block', 'Content-filter block', 473, 'action:content-filter-block'),
    block('action-dynamic-rule-block', 'Dynamic-rule block', 474, 'action:dynamic-rule-block'),
    block('action-feed-block', 'Feed block', 475, 'action:feed-block'),
    block('action-reputation-block', 'Reputation block', 429, 'action:reputation-block'),
    {
      id: 'action-interactive-challenge',
      name: 'interactive challenge',
      type: 'interactive_challenge',
      tags: ['action:interactive-challenge'],
    },
    {
      id: 'action-https-redirect',
      name: 'https redirect',
      type: 'block',
      tags: ['action:https-redirect'],
      params: { status: 301, headers: { location: 'https://${host}${raw_uri}' }, content: '' },
    },
  ],
  'acl-profiles': [
    {
      id: '__acldefault__',
      name: 'acl-default',
      action: 'action-acl-block',
      passthrough: ['skip-waf'],
      force_deny: ['enforce-acl-deny'],
      deny: ['acl-deny'],
    },
  ],
  'content-filter-profiles': [
    {
      id: '__defaultcontentfilter__',
      name: 'default contentfilter',
      ignore_alphanum: true,
      decoding: { base64: true, dual: true },
      masking_seed: 'CHANGEME',
      referer_as_uri: true,
      headers: limits(128, 16_384),
      cookies: limits(128, 8192),
      args: limits(5000, 1_048_576),
      path: limits(128, 8192),
      active: [
        'cf-rule-risk:5',
        'cf-rule-risk:4',
        'cf-rule-risk:3',
        'cf-rule-id:libinjection-sqli',
        'cf-rule-id:libinjection-xss',
      ],
      report: ['cf-rule-risk:2', 'cf-rule-risk:1'],
      ignore: ['malformed-body'],
    },
  ],
  'mobile-application-groups': [{ id: '__default__', name: 'none' }],
  'proxy-templates': [{ id: '__default__', name: 'default' }],
}
