import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import { recordChanges } from '@tidemark/invoicer/history.ts'
import { invoiceEvent } from '@tidemark/invoicer/invoices/event.ts'

const period = { start: '2026-10-01T00:00:00.000000Z', end: '2026-11-01T00:00:00.000000Z' }
/** What the old system says of the invoice that `tellInvoice` tells, which differs. */
export const legacyInvoice = {
  tenant: 'acme',
  kind: 'invoice',
  key: 'subscription-1',
  period,
  fields: { total: { amount: '12.50', currency: 'EUR' } },
  observedAt: period.end,
}

/** As the invoicer writes it when it opens an invoice; its relay publishes it. */
export async function tellInvoice(pool: Pool): Promise<void> {
  const at = Date.now() * 1_000
  const invoice = {
    id: '00000000-0000-4000-8000-000000000001',
    tenant: 'acme',
    number: '1',
    customer: 'customer-1',
    subscription: legacyInvoice.key,
    periodStart: period.start,
    periodEnd: period.end,
    currency: 'EUR' as const,
    discountMicros: 0n,
    netMicros: 1_000_000n,
    taxMicros: 0n,
    totalMicros: 1_000_000n,
    amountDueMicros: 1_000_000n,
    state: 'open' as const,
    issuedOn: '2026-11-01',
    openedAt: null,
    paidAt: null,
  }
  const event = invoiceEvent('billing.invoice.opened.v1', invoice, at)
  const change = { actor: 'test', action: 'invoice.open', entity: 'invoice', entityKey: invoice.id, event }
  await recordChanges(pool, [{ tenant: 'acme', ...change }], at)
}
