import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Producer } from '@tidemark/infra/kafka/producer.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import { transaction } from '@tidemark/infra/postgres/transaction.ts'
import { hash128 } from '@tidemark/schemas/hash.ts'
import { formatClickHouseInstant, parseInstant } from '@tidemark/schemas/instant.ts'
import type { Finding } from '@tidemark/schemas/reconciliation.ts'

export type PublisherOptions = {
  pool: Pool
  producer: Producer
  clickHouse: ClickHouse
  /** Name of the findings topic, prefix included, and its partitions. */
  topic: string
  partitions: number
}

/** Findings per transaction: few enough that a repeat after a crash is cheap. */
const batchFindings = 500

/**
 * Publishes findings in the order in which they were judged, to Kafka and to ClickHouse, and marks them after both have
 * acknowledged. A crash in between publishes again: the record says the same, and ClickHouse collapses it.
 * @returns how many were published
 */
export function publishFindings({
  pool,
  producer,
  clickHouse,
  topic,
  partitions,
}: PublisherOptions): Promise<number> {
  return transaction(pool, async (database) => {
    // One publisher at a time keeps the order; another instance finds nothing to do meanwhile.
    const { rows: locks } = await database.query<{ locked: boolean }>(
      "SELECT pg_try_advisory_xact_lock(hashtext('reconciliation.findings_outbox')) AS locked",
    )
    if (!locks[0]?.locked) return 0
    const { rows } = await database.query<{ id: bigint; finding: Finding }>(
      'SELECT id, finding FROM reconciliation.findings_outbox WHERE published_at IS NULL ORDER BY id LIMIT $1',
      [batchFindings],
    )
    if (rows.length === 0) return 0
    const findings = rows.map(({ finding }) => finding)
    await Promise.all([
      producer.send(
        topic,
        findings.map((finding) => {
          const key = `${finding.tenant}/${finding.kind}/${finding.key}`
          return {
            key,
            partition: partitionFor(key, partitions),
            value: Buffer.from(JSON.stringify(finding)),
          }
        }),
      ),
      clickHouse.insert('reconciliation_findings', findings.map(historyRow)),
    ])
    await database.query(
      'UPDATE reconciliation.findings_outbox SET published_at = now() WHERE id = ANY ($1)',
      [rows.map(({ id }) => id)],
    )
    return rows.length
  })
}

const partitionFor = (key: string, partitions: number): number =>
  hash128(Buffer.from(key)).readUIntBE(10, 6) % partitions

const historyRow = (finding: Finding) => ({
  tenant: finding.tenant,
  kind: finding.kind,
  key: finding.key,
  period_start: clickHouseInstant(finding.period.start),
  period_end: clickHouseInstant(finding.period.end),
  judged_at: clickHouseInstant(finding.judgedAt),
  cause: finding.cause,
  rule: finding.rule,
  old_amount: finding.old?.amount ?? null,
  new_amount: finding.new?.amount ?? null,
  difference: finding.difference,
  currency: finding.currency,
})

const clickHouseInstant = (text: string): string => formatClickHouseInstant(parseInstant(text) ?? 0)
