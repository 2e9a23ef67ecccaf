import { createPool } from '@tidemark/infra/postgres/pool.ts'
import { expect, vi } from 'vitest'
import type { Installation } from '../installation.ts'
import { soon } from './ingest-room.ts'

/** Meanwhile ingest may not read the schemas; `untilAsked` resolves when it has tried. */
export async function withoutReadingSchemas(
  installation: Installation,
  run: (untilAsked: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const url = installation.env.POSTGRES_URL ?? ''
  const { username: user, password } = new URL(url)
  const { database } = installation
  const admin = createPool({ url, database, user, password, max: 1, applicationName: 'test' })
  const asked = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND usename = 'tidemark_ingest'
    AND query LIKE '%metering.event_schemas%' AND query_start > $1::timestamptz`
  await admin.query('REVOKE SELECT ON metering.event_schemas FROM tidemark_ingest')
  const { rows } = await admin.query<{ at: string }>('SELECT now()::text AS at')
  await run(() =>
    vi.waitFor(async () => expect((await admin.query(asked, [rows[0]?.at])).rows).not.toEqual([]), soon),
  )
  await admin.query('GRANT SELECT ON metering.event_schemas TO tidemark_ingest')
  await admin.end()
}
