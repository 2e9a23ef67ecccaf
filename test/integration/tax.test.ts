import { randomUUID } from 'node:crypto'
import { createAuthenticator } from '@tidemark/infra/access/authenticator.ts'
import { createPrincipals } from '@tidemark/infra/access/principals.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import { systemClock } from '@tidemark/infra/process/clock.ts'
import { createHealth } from '@tidemark/infra/process/health.ts'
import { createHttpServer } from '@tidemark/infra/process/http.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { createMetrics } from '@tidemark/infra/process/metrics.ts'
import { createStripeTaxCalculator } from '@tidemark/infra/stripe/tax-calculator.ts'
import { addTaxRoutes } from '@tidemark/invoicer/routes/tax.ts'
import { createTaxCalculations, type TaxOutcome } from '@tidemark/invoicer/tax/calculations.ts'
import type { TaxRequest } from '@tidemark/invoicer/tax/port.ts'
import { createStripeTax } from '@tidemark/invoicer/tax/stripe-tax.ts'
import { formatDecimal } from '@tidemark/schemas/decimal.ts'
import { parseMicros } from '@tidemark/schemas/money.ts'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createInstallation, type Installation, type TestTenant } from '../installation.ts'
import { type SimulatorProcess, startSimulator } from './stripe-simulator-process.ts'

const log = createLog({ service: 'test', level: 'silent', pretty: false })
const secretKey = `sk_test_${randomUUID().replaceAll('-', '')}`
const today = new Date().toISOString().slice(0, 10)
let installation: Installation
let simulator: SimulatorProcess
let pool: Pool
let server: FastifyInstance

beforeAll(async () => {
  installation = await createInstallation('tax')
  simulator = await startSimulator()
  pool = installation.openPool('tidemark_invoicer')
  const metrics = createMetrics('invoicer')
  server = createHttpServer({ log, metrics, health: createHealth({ checks: {} }), bodyLimitBytes: 1_048_576 })
  addTaxRoutes(
    server,
    { pool, clock: systemClock },
    createPrincipals(createAuthenticator(pool, systemClock.now)),
  )
})
afterAll(async () => {
  await server.close()
  await simulator.stop()
  await installation.remove()
})

const call = async (
  { key }: TestTenant,
  method: 'GET' | 'PUT',
  path: string,
  payload?: object,
  ifMatch?: string,
) => {
  const headers = {
    authorization: `Bearer ${key}`,
    ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
  }
  const response = await server.inject({
    method,
    url: `/v1/tax/${path}`,
    headers,
    ...(payload && { payload }),
  })
  return { status: response.statusCode, etag: String(response.headers.etag), body: response.json() }
}

function taxes() {
  const metrics = createMetrics('invoicer')
  const calculator = createStripeTaxCalculator({ secretKey, apiUrl: simulator.url(), timeoutMs: 10_000 })
  const deps = { pool, clock: systemClock, log, metrics, stripe: createStripeTax(calculator), concurrency: 4 }
  return { metrics, ...createTaxCalculations(deps) }
}

const requestOf = (tenant: string, more: Partial<TaxRequest> = {}): TaxRequest => ({
  tenant,
  idempotencyKey: randomUUID(),
  currency: 'EUR',
  date: today,
  taxInclusive: false,
  seller: { country: 'DE', taxIds: [] },
  customer: { address: { country: 'DE' }, taxId: undefined, exemption: 'none' },
  lines: [{ id: 'a', netMicros: parseMicros('100') }],
  ...more,
})

/** Provider and rates of the first line, or the failure's code. */
const told = (outcome: TaxOutcome | undefined) =>
  outcome === undefined || 'failure' in outcome
    ? outcome?.failure.code
    : [
        outcome.calculation.answer.provider,
        ...(outcome.calculation.answer.lines[0]?.taxes ?? []).map(({ rate }) => formatDecimal(rate)),
      ].join(' ')

const vat = { id: 'de', tax: 'vat', percent: '19', from: '2007-01-01', country: 'DE' }

describe('rates and settings', () => {
  test('a list of rates is put whole, read back, and refused whole with every fault', async () => {
    const tenant = await installation.createTenant('rates')
    expect(await call(tenant, 'GET', 'rates')).toMatchObject({
      status: 200,
      etag: '"0"',
      body: { rates: [] },
    })
    const cut = { ...vat, percent: '16', from: '2020-07-01', to: '2021-01-01' }
    const again = { ...vat, percent: '19.000', from: '2021-01-01' }
    const put = await call(tenant, 'PUT', 'rates', { rates: [vat, cut, again] })
    expect(put).toMatchObject({ status: 200, etag: '"1"' })
    expect(put.body.rates).toEqual([vat, cut, { ...again, percent: '19' }])
    const bad = [{ ...vat, from: '2020-02-30' }, { ...vat, region: 'BY', country: undefined }, vat, vat]
    const refused = await call(tenant, 'PUT', 'rates', { rates: bad })
    expect(refused).toMatchObject({ status: 422, body: { code: 'invalid_request' } })
    expect(refused.body.errors.map(({ field }: { field: string }) => field)).toEqual([
      'rates.0.from',
      'rates.1.country',
      'rates.2.from',
      'rates.3.from',
    ])
    const shapeless = await call(tenant, 'PUT', 'rates', { rates: [{ ...vat, percent: 'many' }] })
    expect(shapeless.body.errors).toEqual([
      { field: 'rates.0.percent', reason: expect.stringContaining('ercent') },
    ])
    expect((await call(tenant, 'GET', 'rates')).body.rates).toHaveLength(3)
  })

  test('of two writers one wins and the other is told', async () => {
    const tenant = await installation.createTenant('writers')
    const { etag } = await call(tenant, 'GET', 'rates')
    const both = await Promise.all(
      ['7', '19'].map((percent) => call(tenant, 'PUT', 'rates', { rates: [{ ...vat, percent }] }, etag)),
    )
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 409])
    expect(both.find(({ status }) => status === 409)?.body.code).toBe('revision_conflict')
    expect((await call(tenant, 'GET', 'rates')).etag).toBe('"1"')
  })

  test('a provider is chosen from a date on, and nobody but an admin chooses', async () => {
    const tenant = await installation.createTenant('chosen')
    expect((await call(tenant, 'GET', 'settings')).body).toEqual({ provider: 'fixed', settings: [] })
    await call(tenant, 'PUT', 'settings', { provider: 'none', from: '2020-01-01' })
    const put = await call(tenant, 'PUT', 'settings', { provider: 'stripe', from: '2099-01-01' })
    expect(put.body).toEqual({
      provider: 'none',
      settings: [
        { from: '2020-01-01', provider: 'none' },
        { from: '2099-01-01', provider: 'stripe' },
      ],
    })
    expect(await call(tenant, 'PUT', 'settings', { provider: 'avalara' })).toMatchObject({ status: 422 })
    for (const from of ['2026-02-30', '0000-01-01'])
      expect(await call(tenant, 'PUT', 'settings', { provider: 'none', from })).toMatchObject({ status: 422 })
    const reader = await installation.createTenant('reader', ['read'])
    expect(await call(reader, 'PUT', 'settings', { provider: 'none' })).toMatchObject({ status: 403 })
    const audit = await pool.query('SELECT 1 FROM billing.audit_log WHERE tenant = $1 AND action = $2', [
      tenant.tenant,
      'tax_settings.changed',
    ])
    expect(audit.rows).toHaveLength(2)
  })
})

describe('calculations', () => {
  test('the rate of the date counts, and a change touches new calculations only', async () => {
    const tenant = await installation.createTenant('dated')
    const { calculate, estimate } = taxes()
    const request = requestOf(tenant.tenant)
    const of = async (asked: TaxRequest) => told((await calculate(tenant.tenant, [asked]))[0])
    await call(tenant, 'PUT', 'rates', {
      rates: [
        vat,
        { ...vat, percent: '16', from: '2020-07-01', to: '2021-01-01' },
        { ...vat, from: '2021-01-01' },
      ],
    })
    expect(await of(request)).toBe('fixed 19')
    expect(await of(requestOf(tenant.tenant, { date: '2020-08-01' }))).toBe('fixed 16')
    await call(tenant, 'PUT', 'rates', { rates: [{ ...vat, percent: '21' }] })
    expect(await of(request)).toBe('fixed 19')
    await call(tenant, 'PUT', 'settings', { provider: 'stripe', from: '2020-01-01' })
    expect(await of(request)).toBe('fixed 19')
    expect(told((await estimate(tenant.tenant, [request]))[0])).toBe('fixed 19')
    const changed = { ...request, lines: [{ id: 'a', netMicros: parseMicros('50') }] }
    expect(await of(changed)).toBe('stripe 19')
    await call(tenant, 'PUT', 'settings', { provider: 'none', from: '2020-01-01' })
    expect(await of(changed)).toBe('stripe 19')
    expect(await of(requestOf(tenant.tenant))).toBe('none')
    const { rows } = await pool.query(
      'SELECT provider, version, request, answer FROM billing.tax_calculations WHERE tenant = $1 AND key = $2 ORDER BY calculated_at',
      [tenant.tenant, request.idempotencyKey],
    )
    expect(rows).toMatchObject([
      { provider: 'fixed', version: '1', request: { currency: 'EUR', seller: { country: 'DE' } } },
      { provider: 'stripe', answer: { lines: [{ id: 'a', taxes: [{ amountMicros: '9500000' }] }] } },
    ])
  })

  test('a batch asks once for each, in its order, and a preview leaves nothing behind', async () => {
    const tenant = await installation.createTenant('batch')
    await call(tenant, 'PUT', 'rates', { rates: [vat] })
    const requests = Array.from({ length: 25 }, (_, index) =>
      requestOf(tenant.tenant, { lines: [{ id: `l${index}`, netMicros: 10_000n }] }),
    )
    const count = async () =>
      (
        await pool.query<{ n: bigint }>(
          'SELECT count(*) AS n FROM billing.tax_calculations WHERE tenant = $1',
          [tenant.tenant],
        )
      ).rows[0]?.n
    const { calculate, estimate } = taxes()
    const estimated = await estimate(tenant.tenant, requests)
    expect(await count()).toBe(0n)
    const calculated = await calculate(tenant.tenant, requests)
    expect(await count()).toBe(25n)
    expect(calculated).toEqual(estimated)
    expect(await calculate(tenant.tenant, requests)).toEqual(calculated)
    expect(
      calculated.map((each) => ('calculation' in each ? each.calculation.answer.lines[0]?.id : '')),
    ).toEqual(requests.map((_, index) => `l${index}`))
  })

  test('while the provider is away invoices wait, an alarm counts, and afterwards they are answered', async () => {
    const tenant = await installation.createTenant('away')
    await call(tenant, 'PUT', 'settings', { provider: 'stripe', from: '2020-01-01' })
    const requests = Array.from({ length: 12 }, () => requestOf(tenant.tenant))
    const { calculate, metrics } = taxes()
    const fault = { fault: 'rate_limit', match: { path: '/v1/tax/calculations' }, times: 4 }
    await simulator.control('POST', 'faults', fault, secretKey)
    const away = await calculate(tenant.tenant, requests)
    expect(away.map(told)).toEqual(requests.map(() => 'tax_unavailable'))
    expect(await metrics.metrics()).toMatch(
      /tidemark_tax_calculations_total\{provider="stripe",outcome="unavailable".*\} 4/,
    )
    const back = await calculate(tenant.tenant, requests)
    expect(back.map(told)).toEqual(requests.map(() => 'stripe 19'))
  })

  test('one request that has to be mended leaves the others answered', async () => {
    const tenant = await installation.createTenant('mended')
    await call(tenant, 'PUT', 'rates', { rates: [vat] })
    const named = requestOf(tenant.tenant, {
      lines: [{ id: 'a', netMicros: 10_000n, taxes: ['de', 'gone'] }],
    })
    const outcomes = await taxes().calculate(tenant.tenant, [named, requestOf(tenant.tenant)])
    expect(outcomes.map(told)).toEqual(['tax_refused', 'fixed 19'])
    expect(outcomes[0] && 'failure' in outcomes[0] && outcomes[0].failure.message).toMatch(
      /tax rate "gone".*PUT \/v1\/tax\/rates/,
    )
  })
})
