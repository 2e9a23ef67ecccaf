import type { KafkaRecord } from '@tidemark/infra/kafka/record.ts'
import type { Pool, Queryable } from '@tidemark/infra/postgres/pool.ts'
import { transaction } from '@tidemark/infra/postgres/transaction.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import type { Finding } from '@tidemark/schemas/reconciliation.ts'
import { raiseAlerts, type Thresholds } from './alerts.ts'
import { judgeOverdue, judgePairs, keepSide } from './case-store.ts'
import type { Tolerance } from './judge.ts'
import type { ReconcilerMetrics } from './metrics.ts'
import type { ReadSide, Side } from './side.ts'

export type PairingOptions = {
  pool: Pool
  clock: Clock
  log: Log
  metrics: ReconcilerMetrics
  pairWaitMs: number
  tolerance: Tolerance
  thresholds: Thresholds
}

export type Pairing = {
  /** Keeps and judges a batch in one transaction; done again after a crash, it changes nothing. */
  handle(
    topic: string,
    partition: number,
    records: readonly KafkaRecord[],
    read: (value: Buffer | null) => ReadSide,
  ): Promise<void>
  /** Judges what waited long enough; answers how many cases that were. */
  sweep(): Promise<number>
}

/** Bound of one sweep's transaction. */
const sweepCases = 1000

export function createPairing(options: PairingOptions): Pairing {
  const { pool, clock, log, metrics, pairWaitMs, tolerance } = options

  async function announce(database: Queryable, findings: readonly Finding[]): Promise<void> {
    const alerts = await raiseAlerts(database, findings, options.thresholds, clock.nowMicros())
    for (const alert of alerts) {
      metrics.alerts.inc({ severity: alert.severity })
      log[alert.severity === 'critical' ? 'error' : 'warn'](
        alert,
        'Old and new billing differ by more than the threshold',
      )
    }
  }

  return {
    async handle(topic, partition, records, read) {
      const sides: Side[] = []
      const nowMicros = clock.nowMicros()
      const findings = await transaction(pool, async (database) => {
        for (const record of records) {
          const result = read(record.value)
          if (result.kind === 'side') {
            await keepSide(database, result.side, { nowMicros, pairWaitMs })
            sides.push(result.side)
          }
          if (result.kind === 'unreadable')
            await keepUnreadable(database, topic, partition, record, result.reason)
        }
        const judged = await judgePairs(database, sides, tolerance, nowMicros)
        await announce(database, judged)
        return judged
      })
      count(metrics, findings)
      log.info(
        { topic, partition, records: records.length, sides: sides.length, judged: findings.length },
        'Paired a batch',
      )
    },
    async sweep() {
      const findings = await transaction(pool, async (database) => {
        const judged = await judgeOverdue(database, tolerance, clock.nowMicros(), sweepCases)
        await announce(database, judged)
        return judged
      })
      count(metrics, findings)
      if (findings.length > 0)
        log.info({ judged: findings.length }, 'Judged cases whose other side did not come')
      return findings.length
    },
  }

  async function keepUnreadable(
    database: Queryable,
    topic: string,
    partition: number,
    record: KafkaRecord,
    reason: string,
  ) {
    metrics.unreadable.inc({ topic })
    log.warn(
      { topic, partition, offset: record.offset.toString(), reason },
      'A record cannot be read and is kept aside',
    )
    await database.query(
      `INSERT INTO reconciliation.unreadable_records (topic, partition, record_offset, reason, value)
       VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
      [topic, partition, record.offset, reason, record.value],
    )
  }
}

function count(metrics: ReconcilerMetrics, findings: readonly Finding[]): void {
  for (const { cause } of findings) metrics.findings.inc({ cause })
}
