// Requests of HTTP/2 that say what HTTP/2 forbids, or what HTTP/1 behind it would read in another way. The last column:
// whether the origin gets the request.
import type { FieldLine, Stream } from '../wire.ts'

export type OddStream = readonly [says: string, stream: Stream, arrives: boolean]

type Pseudo = Readonly<Partial<Record<':method' | ':scheme' | ':path' | ':authority', string | undefined>>>

const usual = { ':method': 'GET', ':scheme': 'http', ':path': '/x', ':authority': 'www.example.com' }

function fields(pseudo: Pseudo, lines: readonly FieldLine[]): readonly FieldLine[] {
  const all = Object.entries({ ...usual, ...pseudo }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  )
  return [...all, ...lines]
}
const get = (pseudo: Pseudo, ...lines: readonly FieldLine[]): Stream => ({ fields: fields(pseudo, lines) })
const post = (body: string, ...lines: readonly FieldLine[]): Stream => ({
  fields: fields({ ':method': 'POST' }, lines),
  body,
})

const pseudo: readonly OddStream[] = [
  ['an ordinary request', get({}), true],
  ['no :path', get({ ':path': undefined }), false],
  ['an empty :path', get({ ':path': '' }), false],
  ['no :method', get({ ':method': undefined }), false],
  ['no :scheme', get({ ':scheme': undefined }), false],
  ['no :authority and no host', get({ ':authority': undefined }), false],
  ['host in place of :authority', get({ ':authority': undefined }, ['host', 'www.example.com']), true],
  ['host beside :authority, equal', get({}, ['host', 'www.example.com']), true],
  ['host beside :authority, another', get({}, ['host', 'other.example']), true],
  [
    'two hosts',
    get({ ':authority': undefined }, ['host', 'www.example.com'], ['host', 'other.example']),
    false,
  ],
  ['two :path', get({}, [':path', '/admin']), false],
  ['two :authority', get({}, [':authority', 'other.example']), false],
  ['two :method', get({}, [':method', 'POST']), false],
  [
    ':path behind a header',
    { fields: [...fields({ ':path': undefined }, [['x', 'y']]), [':path', '/x']] },
    false,
  ],
  ['an unknown pseudo-header', get({}, [':frob', 'x']), false],
  [':status in a request', get({}, [':status', '200']), false],
  ['a :path without a slash', get({ ':path': 'x' }), false],
  ['a :path of *', get({ ':path': '*' }), false],
  ['an absolute :path', get({ ':path': 'http://other.example/admin' }), false],
  ['a :path with a space', get({ ':path': '/x HTTP/1.1' }), false],
  [
    'a :path with a line end',
    get({ ':path': '/x HTTP/1.1\r\nHost: other.example\r\n\r\nGET /admin' }),
    false,
  ],
  ['a :path with a bare LF', get({ ':path': '/x\n/admin' }), false],
  ['a :path with a NUL', get({ ':path': '/x\x00' }), false],
  ['a :path with a tab', get({ ':path': '/x\ty' }), false],
  ['a :path with a fragment', get({ ':path': '/x#/admin' }), false],
  ['a :path with a byte beyond ASCII', get({ ':path': '/\xe4' }), true],
  ['a :path with dot segments', get({ ':path': '/static/../admin' }), true],
  ['a :path with encoded dots', get({ ':path': '/static/%2e%2e/admin' }), true],
  ['a :path with a backslash', get({ ':path': '/static\\..\\admin' }), true],
  ['a :path with two slashes', get({ ':path': '/x//y' }), true],
  ['a :method with a space', get({ ':method': 'GET /admin HTTP/1.1' }), false],
  ['a :method with a line end', get({ ':method': 'GET\r\n' }), false],
  ['a :method that nobody knows', get({ ':method': 'FROB' }), true],
  ['an empty :method', get({ ':method': '' }), false],
  ['a :method in lower case', get({ ':method': 'get' }), true],
  [
    'CONNECT',
    {
      fields: [
        [':method', 'CONNECT'],
        [':authority', 'other.example:80'],
      ],
    },
    false,
  ],
  ['an extended CONNECT', get({ ':method': 'CONNECT' }, [':protocol', 'websocket']), false],
  [':protocol on a GET', get({}, [':protocol', 'websocket']), false],
  ['another :scheme', get({ ':scheme': 'https' }), true],
  ['an unknown :scheme', get({ ':scheme': 'javascript' }), true],
  ['a :scheme with a path', get({ ':scheme': 'http://other.example/' }), false],
  ['an :authority with userinfo', get({ ':authority': 'user@www.example.com' }), false],
  ['an :authority with a path', get({ ':authority': 'www.example.com/admin' }), false],
  ['an :authority with a line end', get({ ':authority': 'www.example.com\r\nx: y' }), false],
  ['an :authority with a space', get({ ':authority': 'www.example.com other.example' }), false],
  ['an :authority with a comma', get({ ':authority': 'x,a.wild.example' }), false],
  ['an empty :authority', get({ ':authority': '' }), false],
  ['an :authority with a port', get({ ':authority': 'www.example.com:8080' }), true],
]

const headers: readonly OddStream[] = [
  ['connection: close', get({}, ['connection', 'close']), false],
  ['connection that names a header', get({}, ['connection', 'x-real-ip']), false],
  ['keep-alive', get({}, ['keep-alive', 'timeout=5']), false],
  ['proxy-connection', get({}, ['proxy-connection', 'keep-alive']), false],
  ['upgrade', get({}, ['upgrade', 'websocket']), false],
  ['upgrade to h2c', get({}, ['upgrade', 'h2c'], ['http2-settings', 'AAMAAABk']), false],
  ['transfer-encoding: chunked', post('0\r\n\r\n', ['transfer-encoding', 'chunked']), false],
  ['transfer-encoding: identity', post('hello', ['transfer-encoding', 'identity']), false],
  ['transfer_encoding', post('0\r\n\r\n', ['transfer_encoding', 'chunked']), true],
  ['te: trailers', get({}, ['te', 'trailers']), true],
  ['te: chunked', get({}, ['te', 'chunked']), false],
  ['a name in upper case', get({}, ['X-Upper', 'y']), false],
  ['Transfer-Encoding in upper case', post('0\r\n\r\n', ['Transfer-Encoding', 'chunked']), false],
  ['a name with a space', get({}, ['x y', 'z']), false],
  ['a name with a colon', get({}, ['x:y', 'z']), false],
  ['a name with a line end', get({}, ['x: y\r\nhost', 'other.example']), false],
  ['a name with a NUL', get({}, ['x\x00', 'z']), false],
  ['an empty name', get({}, ['', 'z']), false],
  ['a value with a line end', get({}, ['x', 'y\r\nhost: other.example']), false],
  [
    'a value with a request in it',
    get({}, ['x', 'y\r\n\r\nGET /admin HTTP/1.1\r\nhost: www.example.com']),
    false,
  ],
  ['a value with a bare LF', get({}, ['x', 'y\nz']), false],
  ['a value with a NUL', get({}, ['x', 'y\x00z']), false],
  ['a value with spaces around it', get({}, ['x', ' y ']), true],
  ['a value that is not UTF-8', get({}, ['x', '\xff']), false],
  ['a cookie in pieces', get({}, ['cookie', 'a=1'], ['cookie', 'b=2']), true],
  [
    'headers of Weir and Envoy',
    get({}, ['x-weir-action', 'pass'], ['x-envoy-original-path', '/admin'], ['x_real_ip', '10.0.0.1']),
    true,
  ],
]

const bodies: readonly OddStream[] = [
  ['a body without a length', post('hello'), true],
  ['a body with its length', post('hello', ['content-length', '5']), true],
  ['a longer body than its length', post('hello', ['content-length', '2']), false],
  ['a shorter body than its length', post('hello', ['content-length', '9']), false],
  ['a length of zero and a body', post('hello', ['content-length', '0']), false],
  ['a length and no body', get({ ':method': 'POST' }, ['content-length', '5']), false],
  ['two equal lengths', post('hello', ['content-length', '5'], ['content-length', '5']), false],
  ['two different lengths', post('hello', ['content-length', '5'], ['content-length', '0']), false],
  ['a length with a plus', post('hello', ['content-length', '+5']), false],
  ['a negative length', post('hello', ['content-length', '-5']), false],
  ['a length that is no number', post('hello', ['content-length', 'five']), false],
  ['a length over 64 bits', post('hello', ['content-length', '18446744073709551621']), false],
  ['an empty length', post('hello', ['content-length', '']), false],
  ['content_length', post('hello', ['content_length', '0']), true],
  ['a request in the body', post('GET /admin HTTP/1.1\r\nHost: www.example.com\r\n\r\n'), true],
  [
    'a request in the body of a GET',
    { ...get({}), body: 'GET /admin HTTP/1.1\r\nHost: www.example.com\r\n\r\n' },
    true,
  ],
  ['trailers', { ...post('hello'), trailers: [['x-trailer', 'y']] }, true],
  ['trailers with a pseudo-header', { ...post('hello'), trailers: [[':path', '/admin']] }, false],
  [
    'trailers with transfer-encoding',
    { ...post('hello'), trailers: [['transfer-encoding', 'chunked']] },
    false,
  ],
  ['trailers with content-length', { ...post('hello'), trailers: [['content-length', '0']] }, false],
  ['trailers with host', { ...post('hello'), trailers: [['host', 'other.example']] }, true],
]

export const oddStreams: readonly OddStream[] = [...pseudo, ...headers, ...bodies]
