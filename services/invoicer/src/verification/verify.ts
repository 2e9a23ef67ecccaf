import { createHash } from 'node:crypto'
import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import { parseCut } from '@tidemark/schemas/cut.ts'
import { sha256Of } from '../catalogue/version-changes.ts'
import { instantOf } from '../catalogue/stored-instant.ts'
import { readMapped } from '../closing/billed-usage.ts'
import { certify } from '../closing/certificate.ts'
import { type BilledUsage, type Draft, draftInvoice, type Refusal } from '../closing/draft.ts'
import { readBilledSubscriptions, readPlanVersion } from '../closing/due-store.ts'
import { readMeterVersion } from '../closing/meters.ts'
import { clipAll } from '../closing/usage.ts'
import { type Difference, firstDifference } from './difference.ts'
import { findAlteredEvent } from './payloads.ts'
import { type CertificateInputs, parseInputs, readCertificate } from './stored-certificate.ts'
import { describeCertified, describeStored } from './stored-invoice.ts'

export type VerifyDeps = { pool: Pool; clickHouse: ClickHouse }

export type Verification = { verified: true; sha256: string } | { verified: false; difference: Difference }

/**
 * Computes an invoice's certificate anew, from the raw events at its cut and the catalogue's rows, and compares the
 * bytes; then holds the events against their payload hashes, and the invoice's own rows against the certificate.
 * Undefined when the tenant has no such invoice.
 */
export async function verifyInvoice(
  deps: VerifyDeps,
  tenant: string,
  id: string,
): Promise<Verification | undefined> {
  const stored = await describeStored(deps.pool, tenant, id)
  if (!stored) return undefined
  const certificate = await readCertificate(deps.pool, tenant, id)
  if (!certificate) return differs('certificate', null, 'an invoice has a certificate')
  const { document } = certificate
  const digest = createHash('sha256').update(document).digest('hex')
  if (digest !== certificate.sha256) return differs('sha256', certificate.sha256, digest)
  const inputs = parseInputs(document)
  if (!inputs) return differs('certificate', document.slice(0, 200), 'a readable document')

  const draft = await recompute(deps, tenant, inputs)
  if ('path' in draft) return { verified: false, difference: draft }
  const lost = inputs.lost.map((range) => ({
    ...range,
    first: BigInt(range.first),
    last: BigInt(range.last),
  }))
  const cut = parseCut(inputs.cut)
  const anew = certify(tenant, inputs.invoice, draft, cut, lost)
  const certified: { [key: string]: Json } = JSON.parse(document)
  if (anew.document !== document) {
    const difference = firstDifference(causesFirst(certified), JSON.parse(anew.document))
    return { verified: false, difference: difference ?? { path: '', certified: document, recomputed: '' } }
  }
  const altered = await findAlteredEvent(deps.clickHouse, { tenant, cut, ...billedEvents(draft) })
  if (altered) return { verified: false, difference: altered }
  const difference = firstDifference(describeCertified(certified), stored, '')
  if (difference) return { verified: false, difference: { ...difference, path: `stored ${difference.path}` } }
  return { verified: true, sha256: digest }
}

const billedEvents = ({ due: { period }, mappings, usage }: Draft) => ({
  period,
  mappings,
  types: [...new Set(usage.map(({ meter }) => meter.eventType))],
})

/** What an amount follows from is named before the amount itself. */
const causesFirst = ({
  mapping,
  plan,
  usage,
  ...rest
}: {
  [key: string]: Json
}): { [key: string]: Json } => ({
  mapping: mapping ?? null,
  plan: plan ?? null,
  usage: usage ?? null,
  ...rest,
})

const differs = (path: string, certified: Json, recomputed: Json): Verification => ({
  verified: false,
  difference: { path, certified, recomputed },
})

/** The draft that the close computed, from nothing but raw events and catalogue. */
async function recompute(
  { pool, clickHouse }: VerifyDeps,
  tenant: string,
  inputs: CertificateInputs,
): Promise<Draft | Difference> {
  const period = { start: instantOf(inputs.period.start), end: instantOf(inputs.period.end) }
  const [subscription] = await readBilledSubscriptions(pool, tenant, { key: inputs.subscription })
  const plan = await readPlanVersion(pool, tenant, inputs.plan.id, inputs.plan.version)
  if (!subscription) return missing('subscription', inputs.subscription)
  if (!plan) return missing('plan', inputs.plan.id)
  const cut = parseCut(inputs.cut)
  const mappings = clipAll(subscription.mappings, period)
  const usage: BilledUsage[] = []
  for (const { meter: key, version } of inputs.usage) {
    const meter = await readMeterVersion(pool, tenant, key, version)
    if (!meter) return missing('usage', `${key} version ${version}`)
    const reading = await readMapped(clickHouse, meter, mappings, period, cut)
    usage.push({ meter, ...reading(mappings) })
  }
  // The hash is taken of the definition as it is now: a plan that was changed behind its hash shows.
  const due = {
    subscription: { ...subscription, plan: { ...plan, sha256: sha256Of(plan.plan) } },
    period,
  }
  const draft: Draft | Refusal = draftInvoice(due, mappings, usage)
  if ('code' in draft) return { path: 'usage', certified: draft.code, recomputed: draft.reason }
  return draft
}

const missing = (path: string, what: string): Difference => ({ path, certified: what, recomputed: null })
