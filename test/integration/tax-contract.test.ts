import { randomUUID } from 'node:crypto'
import { createStripeTaxCalculator } from '@tidemark/infra/stripe/tax-calculator.ts'
import { simulatedRates } from '@tidemark/infra/stripe-simulator/tax-rates.ts'
import { netInvoice, totalInvoice } from '@tidemark/invoicer/pricing/totals.ts'
import { createFixedRates } from '@tidemark/invoicer/tax/fixed-rates.ts'
import { type TaxProvider, TaxRefused, type TaxRequest, TaxUnavailable } from '@tidemark/invoicer/tax/port.ts'
import { createStripeTax } from '@tidemark/invoicer/tax/stripe-tax.ts'
import type { TaxRate } from '@tidemark/invoicer/tax/tax-rate.ts'
import { parseMicros } from '@tidemark/schemas/money.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type SimulatorProcess, startSimulator } from './stripe-simulator-process.ts'

const secretKey = `sk_test_${randomUUID().replaceAll('-', '')}`
let simulator: SimulatorProcess

beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.stop())

/** The simulator's rates as a tenant of ours would keep them; a tax of a city is a tax of its own. */
const rates = simulatedRates.map(
  ({ country, state, level, type, percent, taxCode }, index): TaxRate => ({
    id: `rate-${index}`,
    tax: `${type}-${level}`,
    percent,
    from: '2000-01-01',
    country,
    ...(state === '' ? {} : { region: state }),
    ...(taxCode === undefined ? {} : { taxCode }),
  }),
)

const providers: Record<string, () => TaxProvider> = {
  fixed: () => createFixedRates(rates),
  stripe: () =>
    createStripeTax(createStripeTaxCalculator({ secretKey, apiUrl: simulator.url(), timeoutMs: 10_000 })),
}

const today = new Date().toISOString().slice(0, 10)

type Given = Partial<Omit<TaxRequest, 'lines'>> & { lines?: Record<string, string>; taxCode?: string }

function requestOf({ lines = { a: '100' }, taxCode, ...given }: Given): TaxRequest {
  return {
    tenant: 'acme',
    idempotencyKey: randomUUID(),
    currency: 'EUR',
    date: today,
    taxInclusive: false,
    seller: { country: 'DE', taxIds: [{ type: 'eu_vat', value: 'DE123456789' }] },
    customer: customerIn('DE'),
    lines: Object.entries(lines).map(([id, amount]) => ({
      id,
      netMicros: parseMicros(amount),
      ...(taxCode === undefined ? {} : { taxCode }),
    })),
    ...given,
  }
}

const customerIn = (country: string, more: Partial<TaxRequest['customer']> = {}, region?: string) => ({
  address: { country, ...(region === undefined ? {} : { region }) },
  taxId: undefined,
  exemption: 'none' as const,
  ...more,
})

/** Taxes of the whole invoice that such a request is of. */
async function taxed(provider: TaxProvider, given: Given) {
  const request = requestOf(given)
  const { taxInclusive, currency } = request
  const answer = await provider.calculate(request)
  const charges = request.lines.map(({ id, netMicros }) => ({ id, amountMicros: netMicros }))
  const invoice = totalInvoice(netInvoice(charges, [], [], currency), answer, { taxInclusive }, currency)
  return {
    total: invoice.taxTotalMicros,
    net: invoice.netTotalMicros,
    lines: invoice.lines.map(({ taxMicros }) => taxMicros),
    rates: invoice.taxes.map(({ rate, reason }) => reason ?? `${rate.coefficient}e-${rate.scale}`),
  }
}

const business = (country: string, value: string) => customerIn(country, { taxId: { type: 'eu_vat', value } })

describe.each(Object.keys(providers))('%s', (name) => {
  const provide = () => providers[name]?.() ?? expect.unreachable()

  test('says who answered, in which version, for every line and no other', async () => {
    const provider = provide()
    const request = requestOf({ lines: { a: '10', b: '0', c: '-5', d: '0.01' } })
    const answer = await provider.calculate(request)
    expect(answer).toMatchObject({ provider: name, version: provider.version })
    expect(answer.lines.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
  })

  test('the same question has the same answer', async () => {
    const request = requestOf({ lines: { a: '12.34', b: '-5' } })
    expect(await provide().calculate(request)).toEqual(await provide().calculate(request))
  })

  test('a customer at home pays the rate of the country, reduced by the tax code', async () => {
    expect(await taxed(provide(), {})).toMatchObject({ total: parseMicros('19'), rates: ['19e-0'] })
    expect(await taxed(provide(), { taxCode: 'txcd_35010000' })).toMatchObject({ total: parseMicros('7') })
  })

  test('a private customer of another country pays that country’s', async () => {
    const customer = customerIn('FR')
    expect(await taxed(provide(), { customer })).toMatchObject({ total: parseMicros('20'), rates: ['20e-0'] })
  })

  test('a business of another country of the EU owes the tax itself; one at home does not', async () => {
    const abroad = await taxed(provide(), { customer: business('FR', 'FRXX123456789') })
    expect(abroad).toMatchObject({ total: 0n, rates: ['reverse_charge'] })
    const atHome = await taxed(provide(), { customer: business('DE', 'DE111111111') })
    expect(atHome).toMatchObject({ total: parseMicros('19') })
  })

  test('who is exempt pays nothing, and the invoice says why', async () => {
    const exempt = await taxed(provide(), { customer: customerIn('DE', { exemption: 'exempt' }) })
    expect(exempt).toMatchObject({ total: 0n, rates: ['exempt'] })
    const reverse = await taxed(provide(), { customer: customerIn('GB', { exemption: 'reverse' }) })
    expect(reverse).toMatchObject({ total: 0n, rates: ['reverse_charge'] })
  })

  test('where the seller collects no tax there is none', async () => {
    expect(await taxed(provide(), { customer: customerIn('BR') })).toMatchObject({ total: 0n })
  })

  test('taxes of country and province, of state and city, add up', async () => {
    const inVancouver = customerIn('CA', {}, 'BC')
    expect(await taxed(provide(), { customer: inVancouver, currency: 'CAD' })).toMatchObject({
      total: parseMicros('12'),
    })
    const inNewYork = customerIn('US', {}, 'NY')
    expect(await taxed(provide(), { customer: inNewYork, currency: 'USD' })).toMatchObject({
      total: parseMicros('8.88'),
    })
  })

  test('a credit gives its tax back', async () => {
    const mixed = await taxed(provide(), { lines: { charge: '50', credit: '-20' } })
    expect(mixed.lines).toEqual([parseMicros('9.5'), parseMicros('-3.8')])
    expect(await taxed(provide(), { lines: { credit: '-20' } })).toMatchObject({ total: parseMicros('-3.8') })
  })

  test('amounts that contain their tax are divided', async () => {
    const inclusive = await taxed(provide(), { taxInclusive: true, lines: { a: '119' } })
    expect(inclusive).toMatchObject({ total: parseMicros('19'), net: parseMicros('100') })
  })

  test('currencies without and with three decimals', async () => {
    const yen = { customer: customerIn('JP'), currency: 'JPY' as const, lines: { a: '1005' } }
    expect(await taxed(provide(), yen)).toMatchObject({ total: parseMicros('101') })
    const dinar = { currency: 'KWD' as const, lines: { a: '10' } }
    expect(await taxed(provide(), dinar)).toMatchObject({ total: parseMicros('1.9') })
  })

  test('more lines than one question takes are asked for in parts', async () => {
    const lines = Object.fromEntries(Array.from({ length: 230 }, (_, index) => [`l${index}`, '1']))
    const many = await taxed(provide(), { lines })
    expect(many.total).toBe(parseMicros('43.7'))
  })
})

describe('a provider over the network', () => {
  const ask = () => providers.stripe?.().calculate(requestOf({}))

  test('away, limited, or lost on the way: the invoice waits, and asking again is answered', async () => {
    const request = requestOf({})
    for (const fault of ['reset_before', 'reset_after', 'error_500_after', 'rate_limit']) {
      const match = { method: 'POST', path: '/v1/tax/calculations' }
      await simulator.control('POST', 'faults', { fault, match }, secretKey)
      await expect(ask(), fault).rejects.toThrow(TaxUnavailable)
    }
    expect((await providers.stripe?.().calculate(request))?.lines).toHaveLength(1)
    const nowhere = createStripeTaxCalculator({ secretKey, apiUrl: 'http://127.0.0.1:9', timeoutMs: 1_000 })
    await expect(createStripeTax(nowhere).calculate(request)).rejects.toThrow(TaxUnavailable)
  })

  test('what has to be mended first is refused in words that say so', async () => {
    const stripe = providers.stripe?.() ?? expect.unreachable()
    const nobody = { address: undefined, taxId: undefined, exemption: 'none' as const }
    await expect(stripe.calculate(requestOf({ customer: nobody }))).rejects.toThrow(/has no address/)
    const somewhere = requestOf({ customer: customerIn('US') })
    await expect(stripe.calculate(somewhere)).rejects.toThrow(TaxRefused)
    await expect(stripe.calculate(somewhere)).rejects.toThrow(/tax location/)
    const longAgo = requestOf({ date: '2020-01-01' })
    await expect(stripe.calculate(longAgo)).rejects.toThrow(/within 31 days/)
  })
})
