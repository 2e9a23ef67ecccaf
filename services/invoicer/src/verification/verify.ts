import { createHash } from 'node:crypto'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import { parseCut } from '@tidemark/schemas/cut.ts'
import { certify } from '../closing/certificate.ts'
import { readingOf } from '../closing/due.ts'
import type { Draft } from '../invoicing/compose.ts'
import { type Difference, firstDifference } from './difference.ts'
import { findAlteredEvent } from './payloads.ts'
import { recompute, type VerifyDeps } from './recompute.ts'
import { parseInputs, readCertificate } from './stored-certificate.ts'
import { describeCertified, describeStored } from './stored-invoice.ts'
import { findAlteredTax } from './tax.ts'

export type Verification = { verified: true; sha256: string } | { verified: false; difference: Difference }

/**
 * Computes an invoice's certificate anew, from the raw events at its cut and the catalogue's rows, and compares the
 * bytes; then holds the events against their payload hashes, the answer about the tax against the calculation that was
 * kept, and the invoice's own rows against the certificate.
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
  const taxed = await findAlteredTax(deps.pool, tenant, id, draft)
  if (taxed) return { verified: false, difference: taxed }
  const difference = firstDifference(describeCertified(certified), stored, '')
  if (difference) return { verified: false, difference: { ...difference, path: `stored ${difference.path}` } }
  return { verified: true, sha256: digest }
}

const billedEvents = ({ due, usage }: Draft) => ({
  period: readingOf(due),
  mappings: usage.flatMap(({ mappings }) => mappings),
  types: [...new Set(usage.map(({ meter }) => meter.eventType))],
})

/** What an amount follows from is named before the amount itself. */
const causesFirst = ({
  mapping,
  phases,
  plans,
  addOns,
  coupons,
  usage,
  ...rest
}: {
  [key: string]: Json
}): { [key: string]: Json } => ({
  mapping: mapping ?? null,
  phases: phases ?? null,
  plans: plans ?? null,
  addOns: addOns ?? null,
  coupons: coupons ?? null,
  usage: usage ?? null,
  ...rest,
})

const differs = (path: string, certified: Json, recomputed: Json): Verification => ({
  verified: false,
  difference: { path, certified, recomputed },
})
