import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { ExchangeRate } from '@tidemark/schemas/exchange-rate.ts'
import { isLocalDate } from '@tidemark/schemas/local-date.ts'

/** Names a dated rate. */
export const exchangeRateKey = ({ from, to, on }: Omit<ExchangeRate, 'rate'>): string => `${from}/${to}/${on}`

type RateRow = { from: ExchangeRate['from']; to: ExchangeRate['to']; on: string; rate: string }

/** A date as text: a driver would make an instant of it. Trailing zeros are not part of a rate. */
const rateColumns =
  'from_currency AS "from", to_currency AS "to", valid_from::text AS "on", trim_scale(rate)::text AS rate'

/** Those that are there of some: rate by key. */
export async function readExchangeRates(
  queryable: Queryable,
  tenant: string,
  rates: readonly ExchangeRate[],
): Promise<Map<string, string>> {
  // PostgreSQL would refuse the whole question for a date of no calendar, which is a fault of its own.
  const dated = rates.filter(({ on }) => isLocalDate(on))
  if (dated.length === 0) return new Map()
  const { rows } = await queryable.query<RateRow>(
    `SELECT ${rateColumns} FROM billing.exchange_rates
     WHERE tenant = $1 AND (from_currency, to_currency, valid_from) IN (
       SELECT "from", "to", "on" FROM json_to_recordset($2) AS r ("from" char(3), "to" char(3), "on" date))`,
    [tenant, JSON.stringify(dated)],
  )
  return new Map(rows.map((row) => [exchangeRateKey(row), row.rate]))
}

export async function storeExchangeRates(
  queryable: Queryable,
  tenant: string,
  rates: readonly ExchangeRate[],
  at: string,
): Promise<void> {
  if (rates.length === 0) return
  await queryable.query(
    `INSERT INTO billing.exchange_rates (tenant, from_currency, to_currency, valid_from, rate, updated_at)
     SELECT $1, "from", "to", "on", rate, $3
     FROM json_to_recordset($2) AS r ("from" text, "to" text, "on" date, rate numeric)
     ON CONFLICT (tenant, from_currency, to_currency, valid_from)
     DO UPDATE SET rate = excluded.rate, updated_at = excluded.updated_at`,
    [tenant, JSON.stringify(rates), at],
  )
}

/** By pair and date, after a pair and date such as `EUR/USD/2026-11-01`. */
export async function listExchangeRates(
  queryable: Queryable,
  tenant: string,
  after: string,
  limit: number,
): Promise<ExchangeRate[]> {
  const [from = '', to = '', on = '0001-01-01'] = after.split('/')
  const { rows } = await queryable.query<RateRow>(
    `SELECT ${rateColumns} FROM billing.exchange_rates
     WHERE tenant = $1 AND (from_currency, to_currency, valid_from) > ($2, $3, $4::date)
     ORDER BY from_currency, to_currency, valid_from LIMIT $5`,
    [tenant, from, to, on, limit],
  )
  return rows
}
