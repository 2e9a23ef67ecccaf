import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { type Cause, causes, type Finding } from '@tidemark/schemas/reconciliation.ts'

export type Summary = {
  /** Cases judged, by cause; every cause is named, also those with none. */
  findings: Record<Cause, number>
  judged: number
  /** Cases whose other side may still come. */
  waiting: number
  /** Share of judged cases that are exact or rounding, as decimal text with four places; null before the first. */
  agreementRate: string | null
  /** New minus old per currency, decimal text in major units. */
  differences: { currency: string; net: string; absolute: string }[]
}

/** How a tenant's old and new billing agree, over all cases. */
export async function summarise(database: Queryable, tenant: string): Promise<Summary> {
  const byCause = await database.query<{ cause: Cause | null; cases: bigint }>(
    'SELECT cause, count(*) AS cases FROM reconciliation.cases WHERE tenant = $1 GROUP BY cause',
    [tenant],
  )
  const differences = await database.query<{ currency: string; net: string; absolute: string }>(
    `SELECT currency, trim_scale(sum(difference))::text AS net, trim_scale(sum(abs(difference)))::text AS absolute
     FROM reconciliation.cases WHERE tenant = $1 AND cause IS NOT NULL GROUP BY currency ORDER BY currency`,
    [tenant],
  )
  const count = (cause: Cause | null) => Number(byCause.rows.find((row) => row.cause === cause)?.cases ?? 0)
  const judged = causes.reduce((sum, cause) => sum + count(cause), 0)
  return {
    findings: {
      exact: count('exact'),
      rounding: count('rounding'),
      missing_in_new: count('missing_in_new'),
      missing_in_old: count('missing_in_old'),
      currency: count('currency'),
      unexplained: count('unexplained'),
    },
    judged,
    waiting: count(null),
    agreementRate: judged === 0 ? null : ((count('exact') + count('rounding')) / judged).toFixed(4),
    differences: differences.rows,
  }
}

export type FindingsQuery = { cause: Cause | undefined; after: bigint; limit: number }

/** Findings in the order in which they were judged, by pages. */
export async function listFindings(
  database: Queryable,
  tenant: string,
  { cause, after, limit }: FindingsQuery,
) {
  const { rows } = await database.query<{ id: bigint; finding: Finding }>(
    `SELECT id, finding FROM reconciliation.findings_outbox
     WHERE finding->>'tenant' = $1 AND ($2::text IS NULL OR finding->>'cause' = $2) AND id > $3
     ORDER BY id LIMIT $4`,
    [tenant, cause ?? null, after, limit + 1],
  )
  const page = rows.slice(0, limit)
  const last = rows.length > limit ? page.at(-1) : undefined
  return { items: page.map(({ finding }) => finding), nextCursor: last ? last.id.toString() : null }
}
