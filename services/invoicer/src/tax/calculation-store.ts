import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { canonicalJson } from '@tidemark/schemas/canonical-json.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import type { TaxAnswer } from '../pricing/priced-invoice.ts'
import { readTaxAnswer, taxAnswerJson, taxRequestJson } from './calculation-json.ts'
import type { TaxCalculation } from './calculations.ts'
import type { TaxRequest } from './port.ts'

type Named = { readonly request: TaxRequest; readonly requestSha256: string }

/** The stored answers of requests, in their order; undefined for those without one. */
export async function readCalculations(
  queryable: Queryable,
  tenant: string,
  requests: readonly Named[],
): Promise<(TaxAnswer | undefined)[]> {
  if (requests.length === 0) return []
  const { rows } = await queryable.query<{ key: string; request_sha256: string; answer: unknown }>(
    `SELECT key, request_sha256, answer FROM billing.tax_calculations
     WHERE tenant = $1 AND (key, request_sha256) IN (SELECT * FROM unnest($2::text[], $3::text[]))`,
    [
      tenant,
      requests.map(({ request }) => request.idempotencyKey),
      requests.map(({ requestSha256 }) => requestSha256),
    ],
  )
  const found = new Map(rows.map((row) => [`${row.request_sha256} ${row.key}`, row.answer]))
  return requests.map(({ request, requestSha256 }) => {
    const answer = found.get(`${requestSha256} ${request.idempotencyKey}`)
    return answer === undefined ? undefined : readTaxAnswer(answer)
  })
}

/** What is stored already stays as it is. */
export async function storeCalculations(
  queryable: Queryable,
  tenant: string,
  calculations: readonly TaxCalculation[],
  at: Micros1970,
): Promise<void> {
  if (calculations.length === 0) return
  const rows = calculations.map(({ request, requestSha256, answer }) => ({
    key: request.idempotencyKey,
    request_sha256: requestSha256,
    provider: answer.provider,
    version: answer.version,
    request: canonicalJson(taxRequestJson(request)),
    answer: canonicalJson(taxAnswerJson(answer)),
  }))
  await queryable.query(
    `INSERT INTO billing.tax_calculations
       (tenant, key, request_sha256, provider, version, request, answer, calculated_at)
     SELECT $1, key, request_sha256, provider, version, request::jsonb, answer::jsonb, $3
     FROM json_to_recordset($2) AS c
       (key text, request_sha256 text, provider text, version text, request text, answer text)
     ON CONFLICT DO NOTHING`,
    [tenant, JSON.stringify(rows), formatInstant(at)],
  )
}
