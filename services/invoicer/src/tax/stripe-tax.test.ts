import type { TaxFinding } from '@tidemark/infra/stripe/tax-calculator.ts'
import { expect, test } from 'vitest'
import { computeTaxes } from '../pricing/taxation.ts'
import { createStripeTax } from './stripe-tax.ts'

const partly = (rate: string, amountMinor: bigint): TaxFinding => ({
  amountMinor,
  rate,
  type: 'sales_tax',
  jurisdiction: { country: 'US', state: 'NY', level: 'state', name: 'New York' },
  reason: 'portion_product_exempt',
})

test('what is exempt in part at several rates is several taxes, which an invoice takes', async () => {
  const provider = createStripeTax({
    calculate: async () => [
      { reference: '0', findings: [partly('4.5', 23n)] },
      { reference: '1', findings: [partly('8.875', 44n)] },
      { reference: '2', findings: [partly('0.0', 0n)] },
    ],
  })
  const lines = ['a', 'b', 'c'].map((id) => ({ id, netMicros: 10_000_000n }))
  const answer = await provider.calculate({
    tenant: 't',
    idempotencyKey: 'k',
    currency: 'USD',
    date: '2026-11-01',
    taxInclusive: false,
    seller: undefined,
    customer: { address: { country: 'US' }, taxId: undefined, exemption: 'none' },
    lines,
  })
  const net = lines.map((line) => ({
    ...line,
    amountMicros: line.netMicros,
    capMicros: 0n,
    discountMicros: 0n,
  }))
  expect(computeTaxes(net, answer, {}, 'USD').map(({ tax, amountMicros }) => [tax.id, amountMicros])).toEqual(
    [
      ['exempt-4.5', 230_000n],
      ['exempt-8.875', 440_000n],
      ['exempt', 0n],
    ],
  )
})
