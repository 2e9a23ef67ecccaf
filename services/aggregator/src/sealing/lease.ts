import type { Pool } from '@tidemark/infra/postgres/pool.ts'

/** One number for each purpose in the installation's own database: "seal", "prov", "rebu" and "purg" as four bytes. */
const sealingLease = 0x7365_616c
export const checkingLease = 0x7072_6f76
export const rebuildingLease = 0x7265_6275
export const purgingLease = 0x7075_7267

/**
 * Runs `work` while this process alone holds the lease, which ends with its database session. Of sealing: a holder that
 * stalls and goes on after it has lost the lease does no harm: what it writes is what its cut says, and no reader takes
 * it in place of a later pass.
 * @param work gets a check that rejects when the session, and with it the lease, is gone
 * @returns false when another process holds it
 */
export function withLease(
  pool: Pool,
  lease: number,
  work: (checkLease: () => Promise<void>) => Promise<void>,
): Promise<boolean> {
  return pool.withConnection(async (connection) => {
    const { rows } = await connection.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [
      lease,
    ])
    if (rows[0]?.held !== true) return false
    try {
      await work(async () => {
        await connection.query('SELECT 1')
      })
      return true
    } finally {
      // At once for whoever waits; and the session ends too, for handed back to the pool it might still hold the lock.
      await connection.query('SELECT pg_advisory_unlock($1)', [lease]).catch(() => undefined)
      connection.discard()
    }
  })
}

export const withSealingLease = (
  pool: Pool,
  work: (checkLease: () => Promise<void>) => Promise<void>,
): Promise<boolean> => withLease(pool, sealingLease, work)
