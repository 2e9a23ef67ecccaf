import { eventSchemaLimits } from '@tidemark/schemas/event-schema/event-schema.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createInstallation, type Installation, type TestTenant } from '../installation.ts'
import { type MetersHttp, openMetersHttp } from './meters-http.ts'

let installation: Installation
let meters: MetersHttp
let acme: TestTenant

beforeAll(async () => {
  installation = await createInstallation('schemas')
  meters = openMetersHttp(installation)
  acme = await installation.createTenant('acme')
})
afterAll(async () => {
  await meters?.close()
  await installation?.remove()
})

const calls = { key: 'calls', eventType: 'api.call', aggregation: 'count' }
const eventSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  required: ['method'],
  properties: { method: { enum: ['GET', 'PUT'] } },
}

test('a meter carries the schema of its event type; another schema is its next version', async () => {
  const meter = { ...calls, eventSchema }
  expect(await meters.post(meter, acme.key)).toEqual({ status: 201, body: { ...meter, version: 1 } })
  expect(await meters.post(meter, acme.key)).toEqual({ status: 200, body: { ...meter, version: 1 } })
  const next = { ...calls, eventSchema: { type: 'object' } }
  expect(await meters.post(next, acme.key)).toEqual({ status: 201, body: { ...next, version: 2 } })
})

const wide = Array.from({ length: 501 }, (_, at) => `f${at}`)
const deep = Array.from({ length: 30 }).reduce<object>((inner) => ({ not: inner }), { type: 'object' })

const unsound: [schema: unknown, field: string, reason: string][] = [
  [{ type: 'array' }, 'eventSchema.type', 'must be object'],
  [{ minumum: 1 }, 'eventSchema.minumum', 'known are '],
  [{ $schema: 'http://json-schema.org/draft-07/schema#' }, 'eventSchema.$schema', '2020-12'],
  [{ $id: 'https://example.com/a' }, 'eventSchema.$id', 'known are '],
  [{ properties: { a: { minimum: '1' } } }, 'eventSchema.properties.a.minimum', 'must be a number'],
  [
    { properties: { a: { type: 'float' } } },
    'eventSchema.properties.a.type',
    'must be one of string, number',
  ],
  [{ properties: { a: { format: 'email' } } }, 'eventSchema.properties.a.format', 'date-time'],
  [{ properties: { a: { $ref: 'https://example.com/a' } } }, 'eventSchema.properties.a.$ref', '#/$defs/'],
  [{ properties: { a: { $ref: '#/$defs/none' } } }, 'eventSchema.properties.a.$ref', 'does not exist'],
  [
    { $defs: { a: { items: { $ref: '#/$defs/a' } } } },
    'eventSchema.$defs.a.items.$ref',
    'leads back to itself',
  ],
  [{ properties: { a: { pattern: '(a)\\1' } } }, 'eventSchema.properties.a.pattern', '\\1'],
  [{ properties: { a: { pattern: '(?=a)' } } }, 'eventSchema.properties.a.pattern', 'looks around'],
  [{ properties: { a: { pattern: '(a{900}){900}' } } }, 'eventSchema.properties.a.pattern', '300 steps'],
  [{ patternProperties: { '[': {} } }, 'eventSchema.patternProperties', 'without its ]'],
  [{ required: wide }, 'eventSchema.required', 'beyond the 500 checks'],
  [deep, 'eventSchema.not.not.not', 'deeper than 24 levels'],
  [
    { description: 'x'.repeat(eventSchemaLimits.bytes) },
    'eventSchema',
    `of at most ${eventSchemaLimits.bytes}`,
  ],
  [true, 'eventSchema', 'object'],
]

test.each(unsound.map(([schema, field, reason]) => ({ schema, field, reason })))(
  'an unsound schema is refused by the name of what is wrong: $field $reason',
  async ({ schema, field, reason }) => {
    const { status, body } = await meters.post({ ...calls, eventSchema: schema }, acme.key)
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'invalid_request' })
    expect(body.errors[0].field).toContain(field)
    expect(body.errors[0].reason).toContain(reason)
  },
)

test('only so many meters of one event type carry a schema, and who has too many is told which they are', async () => {
  const tenant = await installation.createTenant('many')
  const meterOf = (at: number) => ({ ...calls, key: `calls-${at}`, eventSchema })
  for (let at = 0; at < 4; at++) expect((await meters.post(meterOf(at), tenant.key)).status).toBe(201)
  const refused = await meters.post(meterOf(4), tenant.key)
  expect(refused).toMatchObject({ status: 422, body: { code: 'schema_limit_reached' } })
  expect(refused.body.detail).toContain('calls-0, calls-1')
  expect((await meters.post({ ...calls, key: 'plain' }, tenant.key)).status).toBe(201)
  expect((await meters.post({ ...meterOf(4), eventType: 'other' }, tenant.key)).status).toBe(201)
})
