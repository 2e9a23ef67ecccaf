import { createHash } from 'node:crypto'
import { formatPeriod } from '@tidemark/schemas/billing-period.ts'
import { canonicalJson, type Json } from '@tidemark/schemas/canonical-json.ts'
import { type Cut, formatCut } from '@tidemark/schemas/cut.ts'
import { formatDecimal } from '@tidemark/schemas/decimal.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import { formatMicros } from '@tidemark/schemas/money.ts'
import { sha256Of } from '../catalogue/version-changes.ts'
import type { Draft } from './draft.ts'
import type { OffsetRange } from './ledger-gaps.ts'

/** Names the code that rates and certifies; raised whenever the same input would give another document. */
export const codeVersion = 'invoicer-1'

export type NumberedInvoice = { readonly id: string; readonly number: string; readonly issuedOn: string }

export type Certificate = { readonly document: string; readonly sha256: string }

/**
 * What an invoice rests on, as canonical JSON: whoever has the raw events, the meters and the plan computes the same
 * bytes. People appear by their keys only, so that an erasure changes no hash.
 */
export function certify(
  tenant: string,
  invoice: NumberedInvoice,
  draft: Draft,
  cut: Cut,
  lost: readonly OffsetRange[],
): Certificate {
  const document = canonicalJson({
    version: 1,
    code: codeVersion,
    tenant,
    invoice: { ...invoice },
    customer: draft.due.subscription.customer,
    subscription: draft.due.subscription.key,
    period: formatPeriod(draft.due.period),
    cut: formatCut(cut),
    hashes: { events: 'siphash128-sum', payload: 'xxh64x2' },
    lost: lost.map(({ log, partition, first, last }) => ({
      log,
      partition,
      first: `${first}`,
      last: `${last}`,
    })),
    mapping: draft.mappings.map(({ subject, from, to }) => ({
      subject,
      from: formatInstant(from),
      to: formatInstant(to),
    })),
    usage: draft.usage.map(usageJson),
    ...ratedJson(draft),
  })
  return { document, sha256: createHash('sha256').update(document).digest('hex') }
}

const usageJson = ({ meter, count, hash, unreadable, quantity }: Draft['usage'][number]): Json => {
  const { tenant: _, version, ...definition } = meter
  return {
    meter: meter.key,
    version,
    definition: sha256Of(definition),
    eventType: meter.eventType,
    events: { count: `${count}`, hash: hash.toString(16).padStart(32, '0'), unreadable: `${unreadable}` },
    quantity: formatDecimal(quantity),
  }
}

function ratedJson({ due, lines, totalMicros }: Draft): { [key: string]: Json } {
  const { id, version, sha256, plan } = due.subscription.plan
  return {
    plan: { id, version, sha256 },
    currency: plan.currency,
    lines: lines.map(({ price, model, description, usage, amountMicros }) => ({
      price,
      model,
      description,
      service: formatPeriod(due.period),
      ...(usage ? { meter: usage.meter, quantity: formatDecimal(usage.quantity) } : {}),
      amount: formatMicros(amountMicros, plan.currency),
    })),
    total: formatMicros(totalMicros, plan.currency),
  }
}
