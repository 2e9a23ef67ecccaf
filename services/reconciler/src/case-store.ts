import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { compare, decimal } from '@tidemark/schemas/decimal.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import type { Finding } from '@tidemark/schemas/reconciliation.ts'
import { type Amount, type Judgement, judge, type Tolerance } from './judge.ts'
import type { Side } from './side.ts'

type CaseRow = {
  tenant: string
  kind: 'invoice'
  key: string
  period_start: string
  period_end: string
  old_amount: string | null
  old_currency: string | null
  new_amount: string | null
  new_currency: string | null
  cause: string | null
  difference: string | null
}

const caseColumns = `tenant, kind, key, period_start, period_end, old_amount::text, old_currency, new_amount::text,
  new_currency, cause, difference::text`

export type Times = { readonly nowMicros: number; readonly pairWaitMs: number }

/** Keeps one side of a case; its counterpart and when the case was first seen stay as they are. */
export async function keepSide(
  database: Queryable,
  side: Side,
  { nowMicros, pairWaitMs }: Times,
): Promise<void> {
  const columns = side.side === 'old' ? 'old_amount, old_currency' : 'new_amount, new_currency'
  const update =
    side.side === 'old'
      ? 'old_amount = excluded.old_amount, old_currency = excluded.old_currency'
      : 'new_amount = excluded.new_amount, new_currency = excluded.new_currency'
  await database.query(
    `INSERT INTO reconciliation.cases (tenant, kind, key, period_start, period_end, ${columns}, seen_at, due_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (tenant, kind, key, period_start) DO UPDATE SET ${update}`,
    [
      side.tenant,
      side.kind,
      side.key,
      side.periodStart,
      side.periodEnd,
      side.amount.amount,
      side.amount.currency,
      formatInstant(nowMicros),
      formatInstant(nowMicros + pairWaitMs * 1000),
    ],
  )
}

/** Judges the cases that the given sides touched and that now have both sides. */
export async function judgePairs(
  database: Queryable,
  sides: readonly Side[],
  tolerance: Tolerance,
  nowMicros: number,
): Promise<Finding[]> {
  const { rows } = await database.query<CaseRow>(
    `SELECT ${caseColumns} FROM reconciliation.cases
     JOIN unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS touched (t, k, e, p)
       ON tenant = t AND kind = k AND key = e AND period_start = p
     WHERE old_amount IS NOT NULL AND new_amount IS NOT NULL
     ORDER BY tenant, kind, key, period_start FOR UPDATE OF cases`,
    [
      sides.map((s) => s.tenant),
      sides.map((s) => s.kind),
      sides.map((s) => s.key),
      sides.map((s) => s.periodStart),
    ],
  )
  return settle(database, uniqueCases(rows), tolerance, nowMicros)
}

/** Judges the cases whose wait has run out with one side alone. `limit` bounds one transaction. */
export async function judgeOverdue(
  database: Queryable,
  tolerance: Tolerance,
  nowMicros: number,
  limit: number,
): Promise<Finding[]> {
  const { rows } = await database.query<CaseRow>(
    `SELECT ${caseColumns} FROM reconciliation.cases WHERE cause IS NULL AND due_at <= $1
     ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED`,
    [formatInstant(nowMicros), limit],
  )
  return settle(database, rows, tolerance, nowMicros)
}

// Two sides of one batch may touch the same case.
const uniqueCases = (rows: readonly CaseRow[]): CaseRow[] => [
  ...new Map(
    rows.map((row) => [JSON.stringify([row.tenant, row.kind, row.key, row.period_start]), row]),
  ).values(),
]

/** Stores each changed judgement with its finding; a case that is judged as before leaves nothing new. */
async function settle(
  database: Queryable,
  rows: readonly CaseRow[],
  tolerance: Tolerance,
  nowMicros: number,
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const row of rows) {
    const judgement = judge(
      amountOf(row.old_amount, row.old_currency),
      amountOf(row.new_amount, row.new_currency),
      tolerance,
    )
    if (row.cause === judgement.cause && sameAmount(row.difference, judgement.difference)) continue
    const finding = findingOf(row, judgement, formatInstant(nowMicros))
    await database.query(
      `UPDATE reconciliation.cases SET cause = $5, rule = $6, difference = $7, currency = $8, judged_at = $9
       WHERE tenant = $1 AND kind = $2 AND key = $3 AND period_start = $4`,
      [
        row.tenant,
        row.kind,
        row.key,
        row.period_start,
        finding.cause,
        finding.rule,
        finding.difference,
        finding.currency,
        finding.judgedAt,
      ],
    )
    await database.query('INSERT INTO reconciliation.findings_outbox (finding) VALUES ($1)', [
      JSON.stringify(finding),
    ])
    findings.push(finding)
  }
  return findings
}

const amountOf = (amount: string | null, currency: string | null): Amount | undefined =>
  amount === null || currency === null ? undefined : { amount, currency }

function findingOf(row: CaseRow, judgement: Judgement, judgedAt: string): Finding {
  const old = amountOf(row.old_amount, row.old_currency)
  const current = amountOf(row.new_amount, row.new_currency)
  return {
    tenant: row.tenant,
    kind: row.kind,
    key: row.key,
    period: { start: row.period_start, end: row.period_end },
    ...judgement,
    ...(old ? { old } : {}),
    ...(current ? { new: current } : {}),
    judgedAt,
  }
}

const sameAmount = (stored: string | null, judged: string): boolean =>
  stored !== null && compare(decimal(stored), decimal(judged)) === 0
