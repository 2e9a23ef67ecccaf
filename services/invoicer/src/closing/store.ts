import type { Pool, Queryable } from '@tidemark/infra/postgres/pool.ts'
import { transaction } from '@tidemark/infra/postgres/transaction.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import { type Change, recordChanges } from '../history.ts'
import { invoiceEvent } from '../invoices/event.ts'
import type { Invoice } from '../invoices/invoice.ts'
import type { Draft } from '../invoicing/compose.ts'
import { readCatalogueRevision } from './catalogue-revision.ts'
import { certify } from './certificate.ts'
import { claimPeriods, invoiceIdOf } from './claims.ts'
import type { OffsetRange } from './ledger-gaps.ts'
import { reserveNumbers } from './numbers.ts'
import { openedInvoice } from './rows.ts'
import { insertInvoices, insertRedemptions, type Opened } from './rows-store.ts'

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

/**
 * Stores a batch whole or not at all: claims first, so that a period that somebody else closed meanwhile is left out,
 * then numbers, invoices, lines, redemptions, certificates and history. Killed anywhere before the commit, it never happened.
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
    await insertRedemptions(queryable, tenant, opened, now)
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
