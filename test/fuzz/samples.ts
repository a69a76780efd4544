// Bodies of every kind that Weir parses, small and odd enough that a change of a few bytes reaches far into a parser.

export type Sample = { readonly type: string; readonly body: string }

const part = (disposition: string, content: string): string =>
  `--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`

export const bodySamples: Readonly<Record<string, readonly Sample[]>> = {
  json: [
    {
      type: 'application/json',
      body: '{"a":[true,null,{"z":0.2}],"c":{"d":12,"e":"\\u00e9\\ud83d\\ude00"}}',
    },
    { type: 'application/json', body: '[[],{},"",-1.5e+10,{"":{"":[1,2,3]}}]' },
    { type: 'text/plain', body: '{"query":"query Q($f:Int=3){h(first:$f){n}}","variables":{"f":1}}' },
  ],
  xml: [
    {
      type: 'text/xml',
      body: '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "http://h/x"><!ENTITY % p "v">]><a>a<b foo="bar">x&e;x</b>z</a>',
    },
    {
      type: 'application/soap+xml',
      body: '<s:E xmlns:s="u"><s:B><![CDATA[ x ]]><!-- c --><m a="1" b=\'2\'/>&lt;&#65;</s:B></s:E>',
    },
  ],
  form: [
    { type: 'application/x-www-form-urlencoded', body: 'a=1&b=2+3&c%5B%5D=%C3%A9&&d&=e&f=%zz' },
    {
      type: 'application/x-www-form-urlencoded; charset=iso-8859-1',
      body: 'secret=p%40ss&id=12x&note=%E9t%E9',
    },
  ],
  multipart: [
    {
      type: 'multipart/form-data; boundary=b',
      body: `${part('name="foo"', 'bar')}${part('name="up"; filename="../s.php"', 'text')}${part("name=x; filename*=UTF-8''%41", 'é')}--b--\r\n`,
    },
  ],
  graphql: [
    {
      type: 'application/graphql',
      body: '{ hero(id: "1", tags: ["a", "b"], o: {k: true}) { name ... on X @skip(if: $c) { y } ...F } } fragment F on X { z }',
    },
    {
      type: 'application/graphql',
      body: 'mutation M($a: String = "x", $b: [Int!]! = [1]) { a: set(v: """block "x" """) @d(x: 1) { ok } } # end',
    },
  ],
  other: [
    { type: 'text/plain', body: 'hello world' },
    { type: 'application/octet-stream', body: '\u0000\u0001\u0002' },
  ],
}
