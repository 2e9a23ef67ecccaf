import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { type LocalDate, localDateOf } from '@tidemark/schemas/local-date.ts'
import { invoiceIdOf } from '../closing/claims.ts'
import type { TaxCalculations, TaxOutcome } from '../tax/calculations.ts'
import { readTaxParties, type TaxParties } from '../tax/parties-store.ts'
import type { TaxRequest } from '../tax/port.ts'
import { providerOn, readTaxSettings } from '../tax/settings-store.ts'
import type { NetDraft } from './compose.ts'
import type { RefusalReason } from './refusal.ts'
import { type Taxed, type TaxSource, untaxed } from './tax.ts'
import { termsOfPeriod } from './terms.ts'

export type TaxSourceDeps = {
  readonly pool: Queryable
  readonly clock: Clock
  /** Keeps what it calculates for an invoice; estimates for a preview. */
  readonly ask: TaxCalculations['calculate']
}

/** Taxes by the tenant’s provider, as of the date on which the invoices open; no question at all where it is none. */
export function createTaxSource({ pool, clock, ask }: TaxSourceDeps): TaxSource {
  return async (tenant, drafts) => {
    if (drafts.length === 0) return []
    const now = clock.nowMicros()
    const settings = await readTaxSettings(pool, tenant)
    const dated = drafts.map((draft) => ({ draft, date: localDateOf(now, draft.due.subscription.timeZone) }))
    const isAsked = ({ draft, date }: (typeof dated)[number]) =>
      draft.net.lines.length > 0 && providerOn(settings, date) !== 'none'
    const asked = dated.filter(isAsked)
    const parties = await readTaxParties(
      pool,
      tenant,
      asked.map(({ draft }) => draft.due.subscription.customer),
    )
    const requests = asked.map(({ draft, date }) => requestOf(tenant, draft, date, parties))
    const outcomes = await ask(tenant, requests)
    const byDraft = new Map(asked.map(({ draft }, index) => [draft, outcomes[index]]))
    const without = await untaxed(tenant, drafts)
    return drafts.flatMap((draft, index): (Taxed | RefusalReason)[] => {
      const outcome = byDraft.get(draft)
      const none = without[index]
      return outcome ? [taxedOf(outcome)] : none ? [none] : []
    })
  }
}

const taxedOf = (outcome: TaxOutcome): Taxed | RefusalReason =>
  'calculation' in outcome
    ? outcome.calculation
    : { code: outcome.failure.code, reason: outcome.failure.message }

function requestOf(
  tenant: string,
  { due, net }: NetDraft,
  date: LocalDate,
  { seller, customers }: TaxParties,
): TaxRequest {
  const { currency, customer } = due.subscription
  return {
    tenant,
    idempotencyKey: invoiceIdOf(tenant, due),
    currency,
    date,
    taxInclusive: termsOfPeriod(due).taxInclusive,
    seller,
    customer: customers.get(customer) ?? { address: undefined, taxId: undefined, exemption: 'none' },
    lines: net.lines.map(({ id, netMicros, taxCode, taxes }) => ({
      id,
      netMicros,
      ...(taxCode === undefined ? {} : { taxCode }),
      ...(taxes === undefined ? {} : { taxes }),
    })),
  }
}
