import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { BillingEventType } from '@tidemark/schemas/billing-event.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import { recordChanges } from '../history.ts'
import { invoiceEvent } from './event.ts'
import { type Invoice, type InvoiceRow, invoiceColumns, invoiceOf } from './invoice.ts'
import { type InvoiceState, statesBefore } from './states.ts'

/** What is told when a state is entered; entering the others goes to the audit log alone. */
const told: Partial<Record<InvoiceState, BillingEventType>> = {
  open: 'billing.invoice.opened.v1',
  paid: 'billing.invoice.paid.v1',
  past_due: 'billing.invoice.past_due.v1',
}

/**
 * Moves an invoice to a state, with its history, inside the caller's transaction. The condition of the update is the
 * table of transitions, so two who move it at once cannot both succeed.
 * @returns the invoice as it is now; undefined when its state does not lead there (already there, for example)
 */
export async function changeInvoiceState(
  queryable: Queryable,
  { tenant, id, to, actor }: { tenant: string; id: string; to: InvoiceState; actor: string },
  at: Micros1970,
): Promise<Invoice | undefined> {
  const { rows } = await queryable.query<InvoiceRow & { before: InvoiceState }>(
    `UPDATE billing.invoices SET state = $3, updated_at = $4,
       opened_at = CASE WHEN $3 = 'open' THEN $4 ELSE opened_at END,
       paid_at = CASE WHEN $3 = 'paid' THEN $4::timestamptz END
     WHERE id = $1 AND tenant = $2 AND state = ANY($5)
     RETURNING old.state AS before, ${invoiceColumns}`,
    [id, tenant, to, formatInstant(at), statesBefore(to)],
  )
  const row = rows[0]
  if (!row) return undefined
  const { before, ...after } = row
  const invoice = invoiceOf(after)
  const type = told[to]
  const change = {
    tenant,
    actor,
    action: `invoice.${to}`,
    entity: 'invoice',
    entityKey: id,
    before: { state: before },
    after: { state: to },
  }
  await recordChanges(queryable, [type ? { ...change, event: invoiceEvent(type, invoice, at) } : change], at)
  return invoice
}
