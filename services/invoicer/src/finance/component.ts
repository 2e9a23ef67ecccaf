import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { repeat } from '@tidemark/infra/process/repetition.ts'
import type { Fatal } from '@tidemark/infra/process/service.ts'
import { createSubjectPublication } from './subject-publication.ts'

export type FinanceDeps = { pool: Pool; clickHouse: ClickHouse; log: Log; fatal: Fatal }

/** Finance sees a change of the catalogue about this late. */
const roundMs = 2_000

/** The publication of subjects to ClickHouse as a part of the service. */
export function createSubjectPublishing({ pool, clickHouse, log, fatal }: FinanceDeps): Component {
  const { publish } = createSubjectPublication(pool, clickHouse)
  return repeat({
    name: 'publishing subjects for finance',
    intervalMs: roundMs,
    log,
    run: publish,
    onFatal: fatal,
  })
}
