import { readFileSync } from 'node:fs'
import type { Principal } from '@tidemark/infra/access/authenticator.ts'
import { createPrincipals } from '@tidemark/infra/access/principals.ts'
import { createHealth } from '@tidemark/infra/process/health.ts'
import { createHttpServer } from '@tidemark/infra/process/http.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { createMetrics } from '@tidemark/infra/process/metrics.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { previewPricing } from '../pricing/preview/preview.ts'
import { addPricingRoutes } from './pricing.ts'

type Vector = { id: string; kind: string }
const file = new URL('../../golden/pricing-vectors.json', import.meta.url)
const { vectors }: { vectors: Vector[] } = JSON.parse(readFileSync(file, 'utf8'))

const reader: Principal = { keyId: 'k', tenant: 'acme', tenantNumber: 1, scopes: ['read'] }
const principals = createPrincipals({
  async authenticate(authorization) {
    if (authorization === 'Bearer reader') return reader
    throw new HttpProblem({ status: 401, code: 'api_key_missing', detail: 'Send the API key.' })
  },
})

let server: FastifyInstance
beforeAll(() => {
  server = createHttpServer({
    log: createLog({ service: 'trial', level: 'silent', pretty: false }),
    metrics: createMetrics('trial'),
    health: createHealth({ checks: {} }),
    bodyLimitBytes: 1_048_576,
  })
  addPricingRoutes(server, principals)
})
afterAll(() => server.close())

async function post(payload: object | string, authorization = 'Bearer reader') {
  const headers = { authorization, 'content-type': 'application/json' }
  const answer = await server.inject({ method: 'POST', url: '/v1/pricing/preview', payload, headers })
  return { status: answer.statusCode, body: answer.json() }
}

test('answers every vector of the golden file as it stands', async () => {
  for (const vector of vectors) {
    const previewed = previewPricing(vector)
    const answer = 'answer' in previewed ? previewed.answer : previewed.faults
    // What the answer must be, the test of the vectors themselves says.
    expect(await post(vector), vector.id).toEqual({ status: 200, body: JSON.parse(JSON.stringify(answer)) })
  }
  expect(vectors).toHaveLength(264)
})

test('shows each step', async () => {
  const tiers = [
    { upTo: '10', unitPrice: '0.5', flatFee: '2' },
    { upTo: null, unitPrice: '0.125' },
  ]
  const body = { kind: 'price', currency: 'EUR', price: { model: 'graduated', tiers }, usage: '15.5' }
  const { body: answer } = await post(body)
  expect(answer.trace).toEqual([
    { step: 'usage', quantity: '15.5' },
    { step: 'tier', tier: '1', quantity: '10', unitPrice: '0.5', flatFee: '2', amount: '7' },
    { step: 'tier', tier: '2', quantity: '5.5', unitPrice: '0.125', flatFee: '0', amount: '0.6875' },
    { step: 'rounding', exact: '7.6875', amount: '7.69' },
  ])
})

test('strangers learn nothing', async () => {
  expect((await post({}, 'Bearer nobody')).status).toBe(401)
})

const price = { model: 'per-unit', unitPrice: '1' }
const priced = (fields: object) => ({ kind: 'price', currency: 'USD', price, usage: '1', ...fields })
const tiered = (tiers: object[]) => priced({ price: { model: 'graduated', tiers } })
const line = { id: 'a', amount: '1' }
const invoice = (fields: object) => ({ kind: 'invoice', currency: 'USD', lines: [line], ...fields })
const march = { start: '2026-03-01', end: '2026-04-01' }

test.each<[string, object, string, RegExp]>([
  ['no kind', { currency: 'USD' }, 'kind', /missing/],
  ['an unknown kind', { kind: 'magic' }, 'kind', /one of aggregation, calendar/],
  ['an unknown currency', priced({ currency: 'EURO' }), 'currency', /one of AED/],
  ['a JSON number', priced({ usage: 1 }), 'usage', /text, in quotes/],
  ['no number', priced({ usage: '1e9' }), 'usage', /decimal text such as 1000/],
  ['an unknown field', priced({ usge: '1' }), 'usge', /not known/],
  ['an unknown model', priced({ price: { model: 'cheap' } }), 'price.model', /one of flat, per-unit/],
  ['a negative price', priced({ price: { ...price, unitPrice: '-1' } }), 'price.unitPrice', /decimal text/],
  [
    'a switch of another model',
    priced({ convention: { zeroUsageFlatFee: true } }),
    'price.zeroUsageFlatFee',
    /not known/,
  ],
  ['no usage', { ...priced({}), usage: undefined }, 'usage', /exactly one of usage, usageParts/],
  ['usage of two forms', priced({ events: ['1'] }), 'usage', /exactly one of/],
  [
    'usage that its model cannot take',
    priced({ price: { model: 'percentage', rate: '1', fixedFee: '1' } }),
    'usage',
    /exactly one of events/,
  ],
  [
    'unsorted tiers',
    tiered([
      { upTo: '10', unitPrice: '1' },
      { upTo: '5', unitPrice: '1' },
      { upTo: null, unitPrice: '1' },
    ]),
    'price.tiers.1.upTo',
    /not above 10/,
  ],
  ['tiers with an end', tiered([{ upTo: '10', unitPrice: '1' }]), 'price.tiers.0.upTo', /write null/],
  [
    'tiers after the last',
    tiered([
      { upTo: null, unitPrice: '1' },
      { upTo: null, unitPrice: '1' },
    ]),
    'price.tiers.0.upTo',
    /only the last/,
  ],
  [
    'a fee beyond the currency',
    priced({ currency: 'JPY', price: { model: 'flat', amount: '1.5' } }),
    'price.amount',
    /JPY has 0/,
  ],
  [
    'a package of nothing',
    priced({ price: { model: 'package', packageSize: '0', packagePrice: '1' } }),
    'price.packageSize',
    /above zero/,
  ],
  ['blocks of nothing', priced({ price: { model: 'blocks' } }), 'price.tiers', /either tiers/],
  [
    'an impossible date',
    {
      kind: 'proration',
      currency: 'USD',
      segments: [{ period: march, service: { start: '2026-02-30', end: '2026-04-01' } }],
    },
    'segments.0.service.start',
    /2026-02-30/,
  ],
  [
    'a period that ends before it starts',
    {
      kind: 'proration',
      currency: 'USD',
      segments: [{ period: { start: '2026-04-01', end: '2026-03-01' }, service: march }],
    },
    'segments.0.period.end',
    /after the start/,
  ],
  [
    'an unknown zone',
    {
      kind: 'proration',
      currency: 'USD',
      timeZone: 'Mars/Base',
      segments: [{ period: march, service: march }],
    },
    'timeZone',
    /Europe\/Berlin/,
  ],
  ['an unknown tax', invoice({ lines: [{ ...line, taxes: ['vat'] }] }), 'lines.0.taxes.0', /no tax "vat"/],
  ['two lines of one id', invoice({ lines: [line, line] }), 'lines.1.id', /each needs its own/],
  [
    'a discount of nothing',
    invoice({ discounts: [{ id: 'd', type: 'fixed', value: '1', appliesTo: ['b'] }] }),
    'discounts.0.appliesTo.0',
    /no line "b"/,
  ],
  ['half of a service', invoice({ lines: [{ ...line, period: march }] }), 'lines.0.service', /needs both/],
  [
    'too many repetitions',
    { kind: 'rounding', currency: 'USD', lines: [{ amount: '1', repeat: '99999' }] },
    'lines',
    /at most 10000/,
  ],
  [
    'a rate of nothing',
    { kind: 'wallet', currency: 'USD', op: 'top-up', credits: '1', rate: '0' },
    'rate',
    /above zero/,
  ],
  [
    'a change outside of its period',
    { kind: 'plan-change', currency: 'USD', period: march, changeOn: '2026-05-01', from: [], to: [] },
    'changeOn',
    /within the period/,
  ],
  [
    'an impossible instant',
    { kind: 'calendar', currency: 'USD', op: 'days-between', from: 'now', to: 'then' },
    'from',
    /2026-03-01T00/,
  ],
])('refuses %s', async (_name, body, field, reason) => {
  const { status, body: problem } = await post(body)
  expect({ status, code: problem.code }, JSON.stringify(problem)).toEqual({
    status: 422,
    code: 'invalid_request',
  })
  const fault = problem.errors.find((error: { field: string }) => error.field === field)
  expect(fault?.reason, JSON.stringify(problem.errors)).toMatch(reason)
})

test.each(['null', '[]', '"x"', '1'])('refuses a body that is %s', async (payload) => {
  expect((await post(payload)).status).toBe(422)
})

test('takes no more than it can compute at once', async () => {
  const many = invoice({
    lines: Array.from({ length: 201 }, (_, index) => ({ id: `${index}`, amount: '1' })),
  })
  expect((await post(many)).status).toBe(422)
  expect((await post({ ...priced({}), note: 'x'.repeat(300_000) })).status).toBe(413)
})
