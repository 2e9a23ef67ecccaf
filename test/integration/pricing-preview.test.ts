import { readFileSync } from 'node:fs'
import { differences, type Vector } from '@tidemark/invoicer/pricing/expected-fields.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestTenant } from '../installation.ts'
import { type CloseRoom, openCloseRoom } from './close-room.ts'

const file = new URL('../../services/invoicer/golden/pricing-vectors.json', import.meta.url)
const { vectors }: { vectors: Vector[] } = JSON.parse(readFileSync(file, 'utf8'))

let room: CloseRoom
let tenant: TestTenant
beforeAll(async () => {
  room = await openCloseRoom('preview')
  tenant = await room.installation.createTenant('preview')
})
afterAll(() => room?.close())

const preview = (body: unknown) => room.call(tenant, 'POST', '/v1/pricing/preview', body)

test('every golden vector is answered over HTTP as the file expects it', async () => {
  expect(vectors).toHaveLength(264)
  for (const vector of vectors) {
    const { status, body } = await preview(vector)
    expect(status, `${vector.id} ${JSON.stringify(body)}`).toBe(200)
    expect(differences(body, vector), vector.id).toEqual([])
  }
})

test('what is wrong is told by its field, with what would be valid', async () => {
  const tiers = [
    { upTo: '10', unitPrice: '1' },
    { upTo: '5', unitPrice: '1' },
  ]
  const body = { kind: 'price', currency: 'USD', price: { model: 'graduated', tiers }, usage: '1' }
  expect(await preview(body)).toMatchObject({
    status: 422,
    body: {
      code: 'invalid_request',
      errors: [
        { field: 'price.tiers.1.upTo', reason: '5 is not above 10; each tier ends above the one before it' },
        { field: 'price.tiers.1.upTo', reason: 'the last tier has no end: write null' },
      ],
    },
  })
  const { status, body: problem } = await preview({ ...body, currency: 'XXX' })
  expect({ status, field: problem.errors }).toMatchObject({ status: 422, field: [{ field: 'currency' }] })
})
