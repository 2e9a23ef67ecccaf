import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { atCut } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import { besideName, rebuiltTables } from './rebuilt-tables.ts'

export type TableComparison = {
  readonly table: string
  /** Rows in use and rebuilt, below the cut, each once. */
  readonly rows: bigint
  readonly rebuilt: bigint
  readonly same: boolean
}

export type LedgerComparison = {
  /** Offsets that only the rebuilt ledger has, or only the one in use. */
  readonly added: bigint
  readonly removed: bigint
  /** Offsets whose verdict is another, or that now repeat another record: what was billed would change. */
  readonly changed: bigint
  /** The first of them, for a person. */
  readonly examples: readonly string[]
}

const timeout = { timeoutMs: 1_800_000 }

export async function compareTables(clickHouse: ClickHouse, cut: Cut): Promise<TableComparison[]> {
  const { sql, params } = atCut(cut)
  const comparisons: TableComparison[] = []
  for (const table of rebuiltTables) {
    const sums = async (name: string) => {
      const [row] = await clickHouse.query<{ rows: string; hash: string }>(
        `SELECT toString(count()) AS rows, toString(sum(reinterpretAsUInt128(sipHash128(*)))) AS hash
         FROM ${name} FINAL WHERE ${sql}`,
        params,
        timeout,
      )
      return { rows: BigInt(row?.rows ?? 0), hash: row?.hash ?? '' }
    }
    const now = await sums(table)
    const then = await sums(besideName(table))
    comparisons.push({
      table,
      rows: now.rows,
      rebuilt: then.rows,
      same: now.rows === then.rows && now.hash === then.hash,
    })
  }
  return comparisons
}

/** Offsets that one statement holds in memory. */
const offsetsPerStep = 500_000n

export async function compareLedgers(clickHouse: ClickHouse, cut: Cut): Promise<LedgerComparison> {
  let [added, removed, changed] = [0n, 0n, 0n]
  const examples: string[] = []
  for (const { log, partition, offset: end } of cut)
    for (let from = 0n; from < end; from += offsetsPerStep) {
      const to = end - from < offsetsPerStep ? end : from + offsetsPerStep
      const [row] = await clickHouse.query<{
        added: string
        removed: string
        changed: string
        first: string[]
      }>(
        `SELECT toString(countIf(sides = [2])) AS added, toString(countIf(sides = [1])) AS removed,
           toString(countIf(length(sides) = 2 AND rulings > 1)) AS changed,
           groupArrayIf(5)(concat(toString(at), ': ', arrayStringConcat(said, ' becomes ')),
             length(sides) = 2 AND rulings > 1) AS first
         FROM (
           SELECT at, arraySort(groupUniqArray(side)) AS sides, uniqExact(ruling) AS rulings,
             arrayMap(pair -> pair.2, arraySort(groupUniqArray((side, said_here)))) AS said
           FROM (
             ${ruling('usage_ledger', 1)} UNION ALL ${ruling(besideName('usage_ledger'), 2)}
           ) GROUP BY at
         )`,
        { log, partition, from: from.toString(), to: to.toString() },
        timeout,
      )
      added += BigInt(row?.added ?? 0)
      removed += BigInt(row?.removed ?? 0)
      changed += BigInt(row?.changed ?? 0)
      if (examples.length < 5)
        examples.push(
          ...(row?.first ?? []).map((text) => `log ${log}, partition ${partition}, offset ${text}`),
        )
    }
  return { added, removed, changed, examples: examples.slice(0, 5) }
}

const ruling = (table: string, side: 1 | 2): string =>
  `SELECT offset AS at, toUInt8(${side}) AS side, toString(verdict) AS said_here,
     (toString(verdict), first_log, first_partition, first_offset, payload_hash) AS ruling
   FROM ${table} FINAL
   WHERE log = {log:UInt16} AND partition = {partition:UInt16} AND offset >= {from:UInt64} AND offset < {to:UInt64}`
