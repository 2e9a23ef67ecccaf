import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'

export type StoredEvent = { id: string; type: string; payload: unknown; tries: number }

/** Stores an event once, due at once, whatever often it is delivered. */
export async function storeEvent(
  queryable: Queryable,
  { id, type, payload }: Omit<StoredEvent, 'tries'>,
  at: Micros1970,
): Promise<void> {
  await queryable.query(
    `INSERT INTO billing.webhook_events (id, type, payload, received_at, next_try_at)
     VALUES ($1, $2, $3, $4, $4) ON CONFLICT (id) DO NOTHING`,
    [id, type, JSON.stringify(payload), formatInstant(at)],
  )
}

/** Takes a due event, or the one with `id`, for a while, so that two processes do not work on the same. */
export async function takeDueEvent(
  queryable: Queryable,
  { at, leaseUntil, id }: { at: Micros1970; leaseUntil: Micros1970; id?: string },
): Promise<StoredEvent | undefined> {
  const { rows } = await queryable.query<StoredEvent>(
    `UPDATE billing.webhook_events e SET tries = tries + 1, next_try_at = $2
     FROM (
       SELECT id FROM billing.webhook_events WHERE next_try_at <= $1 AND ($3::text IS NULL OR id = $3)
       ORDER BY next_try_at LIMIT 1
       FOR UPDATE SKIP LOCKED
     ) AS due
     WHERE e.id = due.id
     RETURNING e.id, e.type, e.payload, e.tries`,
    [formatInstant(at), formatInstant(leaseUntil), id ?? null],
  )
  return rows[0]
}

/** `note` says why an event changed nothing. */
export async function markProcessed(
  queryable: Queryable,
  { id, note }: { id: string; note: string | undefined },
  at: Micros1970,
): Promise<void> {
  await queryable.query(
    'UPDATE billing.webhook_events SET processed_at = $2, next_try_at = NULL, note = $3 WHERE id = $1',
    [id, formatInstant(at), note ?? null],
  )
}

export async function postponeEvent(
  queryable: Queryable,
  { id, until }: { id: string; until: Micros1970 },
): Promise<void> {
  await queryable.query(
    'UPDATE billing.webhook_events SET next_try_at = $2 WHERE id = $1 AND processed_at IS NULL',
    [id, formatInstant(until)],
  )
}
