import { decimal, formatDecimal } from '@tidemark/schemas/decimal.ts'
import { formatMicros } from '@tidemark/schemas/money.ts'
import type { Invoice } from './invoice.ts'
import type { StoredLine } from './lines.ts'

/** An invoice as the API says it: amounts as decimal text in major units. Fields are only ever added. */
export const showInvoice = (invoice: Invoice) => ({
  id: invoice.id,
  number: invoice.number,
  customer: invoice.customer,
  subscription: invoice.subscription,
  period: { start: invoice.periodStart, end: invoice.periodEnd },
  currency: invoice.currency,
  discount: formatMicros(invoice.discountMicros, invoice.currency),
  net: formatMicros(invoice.netMicros, invoice.currency),
  tax: formatMicros(invoice.taxMicros, invoice.currency),
  total: formatMicros(invoice.totalMicros, invoice.currency),
  amountDue: formatMicros(invoice.amountDueMicros, invoice.currency),
  state: invoice.state,
  issuedOn: invoice.issuedOn,
  openedAt: invoice.openedAt,
  paidAt: invoice.paidAt,
})

export const showLine = (line: StoredLine, { currency }: Pick<Invoice, 'currency'>) => ({
  kind: line.kind,
  price: line.price,
  model: line.model,
  description: line.description,
  meter: line.meter,
  meterVersion: line.meterVersion,
  quantity: line.quantity === null ? null : formatDecimal(decimal(line.quantity)),
  source: line.source === null ? null : { kind: line.source, id: line.sourceId, version: line.sourceVersion },
  amount: formatMicros(line.amountMicros, currency),
  cap: formatMicros(line.capMicros, currency),
  discount: formatMicros(line.discountMicros, currency),
  net: formatMicros(line.netMicros, currency),
  tax: formatMicros(line.taxMicros, currency),
  service: { start: line.serviceStart, end: line.serviceEnd },
})
