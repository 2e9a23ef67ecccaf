import type { Producer } from '@tidemark/infra/kafka/producer.ts'
import type { Connection, Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import { type OutboxRow, outboxMessage } from './message.ts'

export type RelayOptions = {
  pool: Pool
  producer: Producer
  clock: Clock
  /** Name of the topic, prefix included, and its partitions. */
  topic: string
  partitions: number
}

/** Few enough that a repetition after a crash is cheap, and far below what a broker takes at once. */
const batchEvents = 500

/** Names the lock within the database; any number that nothing else takes. */
const lock = 'hashtextextended($1, 0)'
const lockName = 'billing.outbox relay'

/**
 * Publishes what waits in the outbox, in the order of ids, and marks it when every in-sync replica has it. A crash in
 * between publishes the batch again: records then repeat, each with the id of its event, and none is lost or skipped.
 * The lock belongs to the session that also reads and marks, so a relay that has lost it cannot mark anything.
 * @returns how many events were published; 0 also when another relay is at work
 */
export function relayOutbox(options: RelayOptions): Promise<number> {
  return options.pool.withConnection(async (connection) => {
    const taken = await connection.query<{ taken: boolean }>(
      `SELECT pg_try_advisory_lock(${lock}) AS taken`,
      [lockName],
    )
    if (!taken.rows[0]?.taken) return 0
    try {
      return await relayBatch(connection, options)
    } finally {
      // A session that cannot give the lock back must end, or nobody would ever relay again.
      await connection
        .query(`SELECT pg_advisory_unlock(${lock})`, [lockName])
        .catch(() => connection.discard())
    }
  })
}

async function relayBatch(
  connection: Connection,
  { producer, clock, topic, partitions }: RelayOptions,
): Promise<number> {
  const { rows } = await connection.query<OutboxRow>(
    'SELECT id, key, event FROM billing.outbox WHERE published_at IS NULL ORDER BY id LIMIT $1',
    [batchEvents],
  )
  if (rows.length === 0) return 0
  await producer.send(
    topic,
    rows.map((row) => outboxMessage(row, partitions)),
  )
  await connection.query('UPDATE billing.outbox SET published_at = $1 WHERE id = ANY ($2)', [
    formatInstant(clock.nowMicros()),
    rows.map(({ id }) => id),
  ])
  return rows.length
}
