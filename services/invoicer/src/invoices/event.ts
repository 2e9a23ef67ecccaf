import type { BillingEvent, BillingEventType } from '@tidemark/schemas/billing-event.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import { formatMicros } from '@tidemark/schemas/money.ts'
import type { Invoice } from './invoice.ts'

/**
 * What is told of an invoice on billing.events, keyed by customer so that its events stay in order. The id is the same
 * however often it is told; `cause` tells two events of one type apart, such as payments by their attempt.
 */
export function invoiceEvent(
  type: BillingEventType,
  invoice: Invoice,
  at: Micros1970,
  cause?: string,
): { key: string; event: BillingEvent } {
  const suffix = cause === undefined ? '' : `/${cause}`
  return {
    key: `${invoice.tenant}/${invoice.customer}`,
    event: {
      specversion: '1.0',
      id: `${invoice.id}/${type}${suffix}`,
      source: `/tidemark/invoicer/${invoice.tenant}`,
      type,
      subject: invoice.number,
      time: formatInstant(at),
      datacontenttype: 'application/json',
      data: {
        tenant: invoice.tenant,
        invoiceId: invoice.id,
        number: invoice.number,
        customer: invoice.customer,
        subscription: invoice.subscription,
        period: { start: invoice.periodStart, end: invoice.periodEnd },
        currency: invoice.currency,
        total: formatMicros(invoice.totalMicros, invoice.currency),
        state: invoice.state,
      },
    },
  }
}
