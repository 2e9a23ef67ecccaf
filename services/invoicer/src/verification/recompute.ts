import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Pool, Queryable } from '@tidemark/infra/postgres/pool.ts'
import { parseCut } from '@tidemark/schemas/cut.ts'
import { decimal } from '@tidemark/schemas/decimal.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import { parseMicros } from '@tidemark/schemas/money.ts'
import { instantOf } from '../catalogue/stored-instant.ts'
import { sha256Of } from '../catalogue/version-changes.ts'
import { readNeed } from '../closing/billed-usage.ts'
import { readingOf, startInvoice } from '../closing/due.ts'
import { readMeterVersion } from '../closing/meters.ts'
import { clipAll } from '../closing/usage.ts'
import { completeDraft, composeNet, type Draft, isRefusal } from '../invoicing/compose.ts'
import type { DueInvoice } from '../invoicing/due-invoice.ts'
import { periodFrom } from '../invoicing/periods.ts'
import { readSpent } from '../invoicing/spent-store.ts'
import { readBilledSubscriptions } from '../invoicing/store.ts'
import { type BilledSubscription, inZoneAt } from '../invoicing/subscription.ts'
import type { Taxed } from '../invoicing/tax.ts'
import { type ReadUsage, usageNeeds } from '../invoicing/usage-needs.ts'
import type { TaxAnswer } from '../pricing/priced-invoice.ts'
import type { Difference } from './difference.ts'
import type { CertificateInputs } from './stored-certificate.ts'

export type VerifyDeps = { pool: Pool; clickHouse: ClickHouse }

/** The draft that the close computed, from nothing but raw events, the catalogue and the answer about the tax. */
export async function recompute(
  { pool, clickHouse }: VerifyDeps,
  tenant: string,
  inputs: CertificateInputs,
): Promise<Draft | Difference> {
  const [stored] = await readBilledSubscriptions(pool, tenant, [inputs.subscription])
  if (!stored) return missing('subscription', inputs.subscription)
  const start = instantOf(inputs.period.start)
  const subscription = inZoneAt(stored, start)
  const window = periodFrom(subscription, start)
  if (!window) return missing('phases', inputs.period.start)
  const known = await asItWas(pool, tenant, subscription, inputs)
  const due: DueInvoice =
    inputs.kind === 'advance'
      ? startInvoice(known, window)
      : { subscription: known, kind: 'recurring', period: window.served, whole: window.whole }

  const usage: ReadUsage[] = []
  const cut = parseCut(inputs.cut)
  const needs = due.kind === 'advance' ? [] : usageNeeds(known, window)
  for (const need of needs) {
    const version = inputs.usage.find((each) => each.need === need.id)?.version
    const meter = version && (await readMeterVersion(pool, tenant, need.meter, version))
    if (!meter) return missing('usage', `${need.meter} version ${version}`)
    const mappings = need.windows.flatMap((each) => clipAll(known.mappings, each))
    usage.push(await readNeed(clickHouse, { need, meter, mappings }, readingOf(due), cut))
  }
  const net = composeNet({ due, usage, spentMicros: await readSpent(pool, tenant, due) })
  const draft = isRefusal(net) ? net : completeDraft(net, taxOf(inputs))
  if (isRefusal(draft)) return { path: 'usage', certified: draft.code, recomputed: draft.reason }
  return draft
}

const missing = (path: string, what: string): Difference => ({ path, certified: what, recomputed: null })

/**
 * Hashes are taken of the definitions as they are now, so that a plan that was changed behind its hash shows; coupons are
 * redeemed as often as the invoices before this one have.
 */
async function asItWas(
  queryable: Queryable,
  tenant: string,
  subscription: BilledSubscription,
  { invoice, kind, period }: CertificateInputs,
): Promise<BilledSubscription> {
  const { rows } = await queryable.query<{ coupon: string; redemptions: number }>(
    `SELECT r.coupon, count(*)::integer AS redemptions FROM billing.coupon_redemptions r
     JOIN billing.billing_claims b ON b.invoice_id = r.invoice_id
     WHERE r.tenant = $1 AND r.subscription = $2 AND r.invoice_id <> $3
       AND (b.period_start < $4 OR b.kind = 'advance' AND $5 <> 'advance')
     GROUP BY r.coupon`,
    [tenant, subscription.key, invoice.id, formatInstant(instantOf(period.start)), kind],
  )
  const redeemed = new Map(rows.map(({ coupon, redemptions }) => [coupon, redemptions]))
  return {
    ...subscription,
    coupons: subscription.coupons.map((each) => ({
      ...each,
      redemptions: redeemed.get(each.coupon.id) ?? 0,
    })),
    plans: new Map(
      [...subscription.plans].map(([key, each]) => [key, { ...each, sha256: sha256Of(each.plan) }]),
    ),
    addOns: new Map(
      [...subscription.addOns].map(([key, each]) => [key, { ...each, sha256: sha256Of(each.addOn) }]),
    ),
  }
}

const taxOf = ({ tax: { request, provider, version, lines } }: CertificateInputs): Taxed => ({
  requestSha256: request,
  answer: { provider, version, lines: linesOf(lines) },
})

const linesOf = (lines: CertificateInputs['tax']['lines']): TaxAnswer['lines'] =>
  lines.map(({ id, taxes }) => ({
    id,
    taxes: taxes.map(({ id: taxId, rate, amount, reason }) => ({
      id: taxId,
      rate: decimal(rate),
      ...(amount === undefined ? {} : { amountMicros: parseMicros(amount) }),
      ...(reason === undefined ? {} : { reason }),
    })),
  }))
