import { createHash } from 'node:crypto'
import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { canonicalJson, type Json } from '@tidemark/schemas/canonical-json.ts'
import type { Draft } from '../invoicing/compose.ts'
import { taxAnswerJson } from '../tax/calculation-json.ts'
import { type Difference, firstDifference } from './difference.ts'

type Calculation = { readonly request: Json; readonly answer: Json }

/**
 * Holds the answer about the tax, which nobody can compute anew, against the calculation that was kept when it was given:
 * its request is the one that the certificate names, for the lines as they are, and its answer is the certified one.
 */
export async function findAlteredTax(
  queryable: Queryable,
  tenant: string,
  invoice: string,
  draft: Pick<Draft, 'tax' | 'lines'>,
): Promise<Difference | undefined> {
  const { answer, requestSha256 } = draft.tax
  // Nobody was asked: there is nothing to tax, or the tenant's provider is none.
  if (requestSha256 === '' && answer.lines.every(({ taxes }) => taxes.length === 0)) return undefined
  const { rows } = await queryable.query<Calculation>(
    `SELECT request, answer FROM billing.tax_calculations
     WHERE tenant = $1 AND key = $2 AND request_sha256 = $3`,
    [tenant, invoice, requestSha256],
  )
  return taxDifference(rows[0], draft)
}

/** Where a certified answer is not that of the calculation. */
export function taxDifference(
  kept: Calculation | undefined,
  { tax: { answer, requestSha256 }, lines }: Pick<Draft, 'tax' | 'lines'>,
): Difference | undefined {
  if (!kept) return { path: 'tax.request', certified: requestSha256, recomputed: null }
  const digest = createHash('sha256').update(canonicalJson(kept.request)).digest('hex')
  if (digest !== requestSha256) return { path: 'tax.request', certified: requestSha256, recomputed: digest }
  const asked = fieldsOf(kept.request)
  const taxed = lines.map(({ id, netMicros, taxMicros }) => ({
    id,
    netMicros: `${asked.taxInclusive === true ? netMicros + taxMicros : netMicros}`,
  }))
  return (
    firstDifference(
      Array.isArray(asked.lines) ? asked.lines.map(amountOf) : null,
      taxed,
      'tax.request.lines',
    ) ?? firstDifference(taxAnswerJson(answer), kept.answer, 'tax')
  )
}

/** What a line of a stored request says of its amount. */
function amountOf(line: Json): Json {
  const { id = null, netMicros = null } = fieldsOf(line)
  return { id, netMicros }
}

const fieldsOf = (value: Json): { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
