import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Pool, Queryable } from '@tidemark/infra/postgres/pool.ts'
import { changedRows, type PublishedSubject, type SubjectRow } from './subject-rows.ts'

export type SubjectPublication = {
  /** Brings billing_subjects to what the catalogue says now; resolves with the number of tenants that had changed. */
  publish(): Promise<number>
}

const lock = "hashtextextended('billing subjects for finance views', 0)"

/**
 * Keeps ClickHouse's billing_subjects in step with billing.subjects, so that the finance views know whose usage is whose
 * (docs/decisions/0011). Only tenants are read whose subjects have another revision than the one seen last; what is
 * written is the difference to what ClickHouse holds, so that a crash, a lost table or a second process costs nothing.
 */
export function createSubjectPublication(pool: Pool, clickHouse: ClickHouse): SubjectPublication {
  const seen = new Map<string, bigint>()
  return {
    publish: () =>
      pool.withConnection(async (connection) => {
        const taken = await connection.query<{ taken: boolean }>(
          `SELECT pg_try_advisory_lock(${lock}) AS taken`,
        )
        // Two at once could each miss what the other is about to write.
        if (taken.rows[0]?.taken !== true) {
          seen.clear()
          return 0
        }
        try {
          const changed = await readChanged(connection, seen)
          for (const tenant of changed) seen.set(tenant, await publishTenant(connection, clickHouse, tenant))
          return changed.length
        } finally {
          await connection.query(`SELECT pg_advisory_unlock(${lock})`).catch(() => connection.discard())
        }
      }),
  }
}

async function readChanged(queryable: Queryable, seen: ReadonlyMap<string, bigint>): Promise<string[]> {
  const { rows } = await queryable.query<{ tenant: string; revision: bigint }>(
    'SELECT tenant, revision FROM billing.subject_revisions',
  )
  return rows.filter(({ tenant, revision }) => seen.get(tenant) !== revision).map(({ tenant }) => tenant)
}

async function publishTenant(queryable: Queryable, clickHouse: ClickHouse, tenant: string): Promise<bigint> {
  // One statement, so that the revision is that of the rows.
  const { rows } = await queryable.query<SubjectRow & { revision: bigint }>(
    `SELECT r.revision, s.subject, s.customer, lower(s.during) AS "from", upper(s.during) AS "to"
     FROM billing.subject_revisions r LEFT JOIN billing.subjects s ON s.tenant = r.tenant
     WHERE r.tenant = $1`,
    [tenant],
  )
  const revision = rows[0]?.revision ?? 0n
  const published = await clickHouse.query<PublishedSubject>(
    `SELECT subject, valid_from, valid_to, customer FROM billing_subjects FINAL
     WHERE tenant = {tenant:String}`,
    { tenant },
  )
  const changes = changedRows(rows, published)
  await clickHouse.insert(
    'billing_subjects',
    changes.map((row) => ({ ...row, tenant, revision })),
  )
  return revision
}
