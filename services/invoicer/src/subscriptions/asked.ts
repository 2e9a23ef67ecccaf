import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'

export type SubscriptionDeps = { readonly pool: Pool; readonly clock: Clock }

/** Who asks for a change, and under which conditions. */
export type Asked = {
  readonly tenant: string
  /** API key id. */
  readonly actor: string
  readonly idempotencyKey: string | undefined
  /** The revision that the client has read; any when it is undefined. */
  readonly expected: bigint | undefined
  /** Works everything out and stores nothing. */
  readonly dryRun: boolean
}
