import type { Pool, Queryable } from '@tidemark/infra/postgres/pool.ts'
import { transaction } from '@tidemark/infra/postgres/transaction.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import { type Change, recordChanges } from '../history.ts'
import { invoiceEvent } from '../invoices/event.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { type Certificate, certify } from './certificate.ts'
import { claimPeriods, invoiceIdOf } from './claims.ts'
import type { Draft } from './draft.ts'
import { readCatalogueRevision } from './due-store.ts'
import type { OffsetRange } from './ledger-gaps.ts'
import { reserveNumbers } from './numbers.ts'
import { lineRows, openedInvoice } from './rows.ts'

export type Batch = {
  readonly tenant: string
  readonly actor: string
  readonly drafts: readonly Draft[]
  readonly cut: Cut
  readonly lost: readonly OffsetRange[]
  /** The catalogue that the drafts were made from. */
  readonly revision: bigint
  readonly now: Micros1970
}

type Opened = { draft: Draft; invoice: Invoice; certificate: Certificate }

/**
 * Stores a batch whole or not at all: claims first, so that a period that somebody else closed meanwhile is left out,
 * then numbers, invoices, lines, certificates and history. Killed anywhere before the commit, it never happened.
 * @throws Failure `catalogue_changed`, retryable, when the drafts rest on a catalogue that is no more
 */
export function storeBatch(pool: Pool, batch: Batch): Promise<Invoice[]> {
  const { tenant, now } = batch
  return transaction(pool, async (queryable) => {
    const revision = await readCatalogueRevision(queryable, tenant, 'FOR SHARE')
    if (revision !== batch.revision)
      throw new Failure('The catalogue was changed while its periods were closed; close them again', {
        code: 'catalogue_changed',
        retryable: true,
      })
    const due = batch.drafts.map((draft) => draft.due)
    const claimed = await claimPeriods(queryable, tenant, due, now)
    const drafts = batch.drafts.filter((draft) => claimed.has(invoiceIdOf(tenant, draft.due)))
    if (drafts.length === 0) return []
    const opened = await openInvoices(queryable, batch, drafts)
    await insertInvoices(queryable, tenant, opened)
    await insertCertificates(queryable, tenant, opened)
    await recordChanges(
      queryable,
      opened.map(({ invoice }) => openedChange(invoice, batch)),
      now,
    )
    await recordChanges(
      queryable,
      opened
        .filter(({ invoice }) => invoice.state === 'paid')
        .map(({ invoice }) => paidChange(invoice, batch)),
      now,
    )
    return opened.map(({ invoice }) => invoice)
  })
}

async function openInvoices(
  queryable: Queryable,
  { tenant, cut, lost, now }: Batch,
  drafts: readonly Draft[],
): Promise<Opened[]> {
  const ids = drafts.map(({ due }) => invoiceIdOf(tenant, due))
  const numbers = await reserveNumbers(queryable, tenant, ids)
  const issuedOn = formatInstant(now).slice(0, 10)
  return drafts.map((draft, index) => {
    const id = ids[index] ?? ''
    const numbered = { id, number: numbers.get(id) ?? '', issuedOn }
    return {
      draft,
      invoice: openedInvoice(tenant, numbered, draft, now),
      certificate: certify(tenant, numbered, draft, cut, lost),
    }
  })
}

async function insertInvoices(
  queryable: Queryable,
  tenant: string,
  opened: readonly Opened[],
): Promise<void> {
  const invoices = opened.map(({ invoice }) => ({ ...invoice, totalMicros: invoice.totalMicros.toString() }))
  await queryable.query(
    `INSERT INTO billing.invoices (id, tenant, number, kind, customer, subscription, period_start, period_end,
       currency, total_micros, state, issued_on, opened_at, paid_at, updated_at)
     SELECT id, tenant, number, 'recurring', customer, subscription, "periodStart", "periodEnd",
       currency, "totalMicros", state, "issuedOn", "openedAt", "paidAt", "openedAt"
     FROM json_to_recordset($1) AS i (id uuid, tenant text, number text, customer text, subscription text,
       "periodStart" timestamptz, "periodEnd" timestamptz, currency text, "totalMicros" bigint, state text,
       "issuedOn" date, "openedAt" timestamptz, "paidAt" timestamptz)`,
    [JSON.stringify(invoices)],
  )
  const lines = opened.flatMap(({ invoice, draft }) => lineRows(invoice, draft))
  await queryable.query(
    `INSERT INTO billing.invoice_lines (tenant, invoice_id, issued_on, position, price, model, description, meter,
       meter_version, quantity, currency, amount_micros, service_start, service_end)
     SELECT $1, l.* FROM json_to_recordset($2) AS l (invoice_id uuid, issued_on date, position smallint, price text,
       model text, description text, meter text, meter_version integer, quantity numeric, currency text,
       amount_micros bigint, service_start timestamptz, service_end timestamptz)`,
    [tenant, JSON.stringify(lines)],
  )
}

async function insertCertificates(queryable: Queryable, tenant: string, opened: readonly Opened[]) {
  await queryable.query(
    `INSERT INTO billing.certificates (invoice_id, tenant, document, sha256)
     SELECT invoice_id, $1, document, sha256
     FROM unnest($2::uuid[], $3::text[], $4::text[]) AS c (invoice_id, document, sha256)`,
    [
      tenant,
      opened.map(({ invoice }) => invoice.id),
      opened.map(({ certificate }) => certificate.document),
      opened.map(({ certificate }) => certificate.sha256),
    ],
  )
}

const openedChange = (invoice: Invoice, { tenant, actor, now }: Batch): Change => ({
  tenant,
  actor,
  action: 'invoice.opened',
  entity: 'invoice',
  entityKey: invoice.id,
  after: { state: invoice.state, number: invoice.number, totalMicros: `${invoice.totalMicros}` },
  event: invoiceEvent('billing.invoice.opened.v1', invoice, now),
})

const paidChange = (invoice: Invoice, { tenant, actor, now }: Batch): Change => ({
  tenant,
  actor,
  action: 'invoice.paid',
  entity: 'invoice',
  entityKey: invoice.id,
  before: { state: 'open' },
  after: { state: 'paid', reason: 'nothing to pay' },
  event: invoiceEvent('billing.invoice.paid.v1', invoice, now),
})
