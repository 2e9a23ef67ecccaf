import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import {
  add,
  compare,
  type Decimal,
  decimal,
  formatDecimal,
  negate,
  zero,
} from '@tidemark/schemas/decimal.ts'
import { formatInstant, hourOf } from '@tidemark/schemas/instant.ts'
import type { Cause, Finding } from '@tidemark/schemas/reconciliation.ts'

/** Major units of the currency, per tenant and hour. */
export type Thresholds = { readonly warning: number; readonly critical: number }

export type Alert = {
  readonly tenant: string
  readonly rule: 'revenue-discrepancy-critical' | 'revenue-discrepancy-warning'
  readonly severity: 'warning' | 'critical'
  readonly currency: string
  readonly hour: string
  /** Sum of absolute differences in the hour, decimal text. */
  readonly amount: string
  readonly threshold: string
}

/** Causes that mean that one of the two systems charges the wrong amount. */
const discrepancies: ReadonlySet<Cause> = new Set([
  'unexplained',
  'missing_in_new',
  'missing_in_old',
  'currency',
])

/** What this hour's differences amount to, held against the thresholds. Pure. */
export function alertFor(
  tenant: string,
  currency: string,
  amount: Decimal,
  hour: string,
  thresholds: Thresholds,
): Alert | undefined {
  const above = (threshold: number) => compare(amount, decimal(String(threshold))) > 0
  const severity = above(thresholds.critical) ? 'critical' : above(thresholds.warning) ? 'warning' : undefined
  return (
    severity && {
      tenant,
      rule: `revenue-discrepancy-${severity}`,
      severity,
      currency,
      hour,
      amount: formatDecimal(amount),
      threshold: String(thresholds[severity]),
    }
  )
}

/** Raises each alert once per tenant, rule, currency and hour; answers those that are new. */
export async function raiseAlerts(
  database: Queryable,
  findings: readonly Finding[],
  thresholds: Thresholds,
  nowMicros: number,
): Promise<Alert[]> {
  const hour = formatInstant(hourOf(nowMicros))
  const concerned = new Map(
    findings
      .filter(({ cause }) => discrepancies.has(cause))
      .map(({ tenant, currency }) => [`${tenant} ${currency}`, { tenant, currency }]),
  )
  const raised: Alert[] = []
  for (const { tenant, currency } of concerned.values()) {
    const alert = alertFor(
      tenant,
      currency,
      await differencesSince(database, tenant, currency, hour),
      hour,
      thresholds,
    )
    if (alert && (await keepAlert(database, alert, nowMicros))) raised.push(alert)
  }
  return raised
}

async function differencesSince(
  database: Queryable,
  tenant: string,
  currency: string,
  hour: string,
): Promise<Decimal> {
  const { rows } = await database.query<{ difference: string }>(
    `SELECT difference::text FROM reconciliation.cases
     WHERE tenant = $1 AND currency = $2 AND judged_at >= $3 AND cause = ANY ($4)`,
    [tenant, currency, hour, [...discrepancies]],
  )
  return rows
    .map(({ difference }) => decimal(difference))
    .reduce((sum, each) => add(sum, each.coefficient < 0n ? negate(each) : each), zero)
}

async function keepAlert(database: Queryable, alert: Alert, nowMicros: number): Promise<boolean> {
  const { rowCount } = await database.query(
    `INSERT INTO reconciliation.alerts (tenant, rule, currency, hour, severity, amount, threshold, raised_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
    [
      alert.tenant,
      alert.rule,
      alert.currency,
      alert.hour,
      alert.severity,
      alert.amount,
      alert.threshold,
      formatInstant(nowMicros),
    ],
  )
  return rowCount === 1
}
