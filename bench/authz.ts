// What the door costs per call, beside the pipeline: reading a CheckRequest, writing a CheckResponse, reading an access log
// entry; each next to the ways that were not taken. `node bench/authz.ts` prints microseconds: the best of 30 rounds,
// because whatever else runs on the machine only adds to them.
import protobuf from 'protobufjs/minimal.js'
import protojson from 'protobufjs/ext/protojson.js'
import { logEntry, logEntryBytes } from '../src/envoy/access-log.fixture.ts'
import { attributesOf, block, checkBytes, pass, record } from '../src/envoy/check.fixture.ts'
import { decodeCheckRequest } from '../src/envoy/check-request.ts'
import { encodeCheckResponse } from '../src/envoy/check-response.ts'
import { decodeHttpEntry } from '../src/envoy/http-log-entry.ts'
import { lookup } from '../src/envoy/protos.ts'
import { readValue } from '../src/envoy/struct.ts'
import { createReader } from '../src/envoy/wire.ts'

const rounds = 30
const calls = 2000

type Case = readonly [name: string, run: () => unknown]

function measure(cases: readonly Case[]): readonly (readonly [string, number])[] {
  const best = new Map<string, number>(cases.map(([name]) => [name, Infinity]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of cases) {
      const start = performance.now()
      for (let call = 0; call < calls; call++) run()
      best.set(name, Math.min(best.get(name) ?? Infinity, ((performance.now() - start) / calls) * 1000))
    }
  }
  return [...best]
}

function print(title: string, cases: readonly Case[]): void {
  console.log(`\n${title}`)
  for (const [name, us] of measure(cases)) console.log(`${us.toFixed(1).padStart(8)} µs  ${name}`)
}

const get = checkBytes(attributesOf())
const post = checkBytes(attributesOf({ method: 'POST', raw_body: Buffer.alloc(100 * 1024, 'x') }))
const checkRequest = lookup('envoy.service.auth.v3.CheckRequest')

type Decoded = {
  attributes: {
    request: { http: { header_map: { headers: readonly { key: string; raw_value: Buffer }[] } } }
  }
}

const headerTexts = (message: protobuf.Message): unknown =>
  (checkRequest.toObject(message) as Decoded).attributes.request.http.header_map.headers.map(
    ({ key, raw_value }) => [key, raw_value.toString('latin1')] as const,
  )

print(`CheckRequest, ${get.length} bytes of a browser's GET`, [
  ['read by hand (Weir)', () => decodeCheckRequest(get, 0)],
  ['decoded by the library, header bytes made text', () => headerTexts(checkRequest.decode(get))],
])
print('CheckRequest with a body of 100 KiB', [['read by hand (Weir)', () => decodeCheckRequest(post, 0)]])

const json = JSON.stringify(record)
print(`CheckResponse with a record of ${json.length} bytes`, [
  ['OK', () => encodeCheckResponse(pass)],
  ['denied', () => encodeCheckResponse(block)],
])

type Fields = Readonly<Record<string, unknown>>

/** google.protobuf.Value by hand, for comparison. */
function writeValue(writer: protobuf.Writer, value: unknown): void {
  if (typeof value === 'string') writer.uint32(26).string(value)
  else if (typeof value === 'number') writer.uint32(17).double(value)
  else if (typeof value === 'boolean') writer.uint32(32).bool(value)
  else if (Array.isArray(value)) {
    writer.uint32(50).fork()
    for (const item of value) {
      writer.uint32(10).fork()
      writeValue(writer, item)
      writer.ldelim()
    }
    writer.ldelim()
  } else if (typeof value === 'object' && value !== null) {
    writer.uint32(42).fork()
    writeFields(writer, value as Fields)
    writer.ldelim()
  } else writer.uint32(8).uint32(0)
}

function writeFields(writer: protobuf.Writer, fields: Fields): void {
  for (const key in fields) {
    writer.uint32(10).fork().uint32(10).string(key).uint32(18).fork()
    writeValue(writer, fields[key])
    writer.ldelim().ldelim()
  }
}

const struct = lookup('google.protobuf.Struct')
const byHand = (): Uint8Array => {
  const writer = protobuf.Writer.create()
  writer.fork()
  writeValue(writer, record)
  writer.ldelim()
  return writer.finish()
}
const asJson = (): Uint8Array => protobuf.Writer.create().uint32(26).string(JSON.stringify(record)).finish()
const structBytes = byHand()
const jsonBytes = Buffer.from(json)

print('the record alone, there and back', [
  ['written as JSON text (Weir)', asJson],
  ['written as a Struct by hand', byHand],
  ['written as a Struct by the library', () => struct.encode(protojson.fromJson(struct, record)).finish()],
  ['read as JSON text (Weir)', () => JSON.parse(jsonBytes.toString()) as unknown],
  ['read as a Struct by hand', () => readValue(createReader(Buffer.from(structBytes)))],
])

const metadata = {
  filter_metadata: { 'envoy.filters.http.ext_authz': { fields: { weir: { stringValue: json } } } },
}
const common = { ...(logEntry['common_properties'] as Fields), metadata }
const entry = logEntryBytes({ ...logEntry, common_properties: common })
const httpEntry = lookup('envoy.data.accesslog.v3.HTTPAccessLogEntry')

print(`access log entry, ${entry.length} bytes, with its record`, [
  ['read by hand (Weir)', () => decodeHttpEntry(entry, '', '')],
  [
    'decoded by the library into plain objects, record parsed',
    () => [httpEntry.toObject(httpEntry.decode(entry), { enums: String }), JSON.parse(json) as unknown],
  ],
])
