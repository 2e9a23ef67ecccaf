import { readFileSync } from 'node:fs'
import { readCatalogueFile } from '@tidemark/invoicer/catalogue-file.ts'
import { meterSchema } from '@tidemark/schemas/meter.ts'
import { Value } from 'typebox/value'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueRoom, openCatalogueRoom } from './catalogue-room.ts'

let room: CatalogueRoom

beforeAll(async () => {
  room = await openCatalogueRoom('docs')
})
afterAll(() => room?.close())

const text = readFileSync(new URL('../../docs/catalogue.md', import.meta.url), 'utf8')
const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = '']) => {
  const read = readCatalogueFile(yaml)
  if ('faults' in read) throw new Error(JSON.stringify(read.faults))
  const catalogue: Record<string, unknown> = Object(read.value)
  return catalogue
})

test('the examples of docs/catalogue.md apply in their order, and again change nothing', async () => {
  expect(examples.length).toBeGreaterThan(5)
  const tenant = await room.installation.createTenant('docs')
  for (const { meters, ...catalogue } of examples) {
    if (Array.isArray(meters))
      await room.createMeters(
        'docs',
        meters.map((meter) => Value.Parse(meterSchema, meter)),
      )
    const apply = () => room.call(tenant, { method: 'POST', path: '/v1/catalogue', body: catalogue })
    const { status, body } = await apply()
    expect({ status, errors: body.errors }, JSON.stringify(catalogue)).toEqual({
      status: 200,
      errors: undefined,
    })
    expect(body.unchanged).toBe(0)
    expect((await apply()).body.changes).toEqual([])
  }
})
