import { randomUUID } from 'node:crypto'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { PaymentProcessor } from '@tidemark/infra/stripe/processor.ts'

/** Stands in for the catalogue and the close where a test cares only for what comes after them. */
export type InvoiceWriter = { pool: Pool; processor: PaymentProcessor; tenant: string }

/** A customer with that test card at the processor, and a subscription. */
export async function insertCustomer(
  { pool, processor, tenant }: InvoiceWriter,
  testMethod: string,
): Promise<{ customer: string; processorCustomerId: string }> {
  const customer = `c-${randomUUID()}`
  const { processorCustomerId } = await processor.createCustomer({ customerId: customer, name: customer })
  const attached = await processor.attachPaymentMethod({ processorCustomerId, paymentMethodId: testMethod })
  await pool.query(
    `INSERT INTO billing.customers (tenant, key, name, email, currency, time_zone, processor_customer_id,
       payment_method_id, created_at, updated_at)
     VALUES ($1, $2, $2, 'billing@example.com', 'EUR', 'UTC', $3, $4, now(), now())`,
    [tenant, customer, processorCustomerId, attached.paymentMethodId],
  )
  await pool.query(
    "INSERT INTO billing.plans (tenant, id, created_at) VALUES ($1, 'plan', now()) ON CONFLICT DO NOTHING",
    [tenant],
  )
  await pool.query(
    `INSERT INTO billing.plan_versions (tenant, plan, version, state, definition, sha256, created_at, published_at)
     VALUES ($1, 'plan', 1, 'published', '{}', repeat('0', 64), now(), now()) ON CONFLICT DO NOTHING`,
    [tenant],
  )
  await pool.query(
    `INSERT INTO billing.subscriptions (tenant, key, customer, plan, plan_version, anchor_day, started_at, state,
       billing_mode, created_at, updated_at)
     VALUES ($1, $2, $2, 'plan', 1, 1, '2026-10-01Z', 'active', 'tidemark', now(), now())`,
    [tenant, customer],
  )
  return { customer, processorCustomerId }
}

/** An invoice of October as a close leaves it, but for its lines and certificate; it gives the id. */
export async function insertOpenInvoice(
  { pool, tenant }: Pick<InvoiceWriter, 'pool' | 'tenant'>,
  customer: string,
  totalMicros: bigint,
): Promise<string> {
  const id = randomUUID()
  await pool.query(
    `INSERT INTO billing.invoices (id, tenant, number, kind, customer, subscription, period_start, period_end,
       currency, net_micros, total_micros, amount_due_micros, state, issued_on, opened_at, updated_at)
     VALUES ($1, $2, $3, 'recurring', $4, $4, '2026-10-01Z', '2026-11-01Z', 'EUR', $5, $5, $5, 'open', '2026-11-01', now(), now())`,
    [id, tenant, `T-${id.slice(0, 8)}`, customer, totalMicros],
  )
  return id
}
