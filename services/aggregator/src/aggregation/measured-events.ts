import { inForce, meterSql, type Sql } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'

export type MeasuredEvents = {
  readonly meter: Meter
  readonly cut: Cut
  /** Which rows of usage_events: conditions on tenant, type, days and hours. */
  readonly where: string
  /** The corrections that concern them, as a condition on tenant, type and superseded_hour. */
  readonly corrected: string
  /** Further columns, out of the others. */
  readonly columns?: readonly string[]
  /** Precedes the names of parameters, in a statement that reads several meters. */
  readonly prefix?: string
}

/** Rows of one key lie in one month's partition, since the time is part of the key. */
export const finalSettings = 'SETTINGS do_not_merge_across_partitions_select_final = 1'

/** The raw events in force that a meter counts, with what it makes of each. What is not asked for is not read. */
export function measuredEvents({ meter, cut, where, corrected, columns = [], prefix }: MeasuredEvents): Sql {
  const { dimensions, quantity, distinct, raw, matches, params } = meterSql(meter, prefix)
  const rows = inForce(cut, corrected)
  return {
    sql: `SELECT subject, time, toStartOfHour(time) AS cell, ${dimensions} AS dimensions, ${quantity} AS quantity,
        ${distinct} AS distinct, ${raw} AS raw, ${columns.map((column) => `${column}, `).join('')}
        source, id, log, partition, offset, payload_hash
      FROM usage_events FINAL
      WHERE ${where} AND ${rows.sql} AND ${matches}
      ${finalSettings}`,
    params: { ...params, ...rows.params },
  }
}
