import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { asFailure, Failure } from '@tidemark/infra/process/failure.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { createPolling } from '@tidemark/infra/process/polling.ts'
import { createEventSchemas, type DataCheck, idOf, type KnownSchema } from './event-schemas.ts'
import { readSchemas, readSchemaVersions } from './schema-store.ts'

/** Whatever the cause: the caller keeps its events and sends them again. */
function unavailable(cause: unknown): never {
  throw new Failure(`The schemas of events cannot be read: ${asFailure(cause).message}`, {
    code: 'schemas_unread',
    retryable: true,
    cause,
  })
}

export type EventSchemasOptions = { pool: Queryable; log: Log; pollMs: number }

export type DataChecks = {
  of(tenant: string): DataCheck | undefined
  /** Undefined, at once, when the schemas were read; else resolves when they are. @throws Failure when they cannot be */
  unread(): Promise<void> | undefined
}

/**
 * Schemas that follow the database: a new version of a meter holds after one poll; while PostgreSQL does not answer, the
 * last ones do. Before they were read once nothing may be accepted: it could be what a schema refuses.
 */
export function createEventSchemasComponent(options: EventSchemasOptions): {
  checks: DataChecks
  component: Component
} {
  const { pool, log } = options
  const schemas = createEventSchemas(({ tenant, key, version }, reason) =>
    log.error({ tenant, meter: key, version, reason }, 'the event schema of a meter cannot be used'),
  )
  let known = new Map<string, KnownSchema>()
  let isRead = false
  let reading: Promise<void> | undefined

  async function refresh(): Promise<void> {
    const versions = await readSchemaVersions(pool)
    const added = versions.filter((version) => !known.has(idOf(version)))
    if (isRead && added.length === 0 && versions.length === known.size) return
    const read = added.length === 0 ? [] : await readSchemas(pool, added)
    const kept = versions.flatMap((version) => known.get(idOf(version)) ?? [])
    known = new Map([...kept, ...read].map((schema) => [idOf(schema), schema]))
    schemas.replace([...known.values()])
    isRead = true
    log.info({ schemas: known.size, added: read.length }, 'event schemas read')
  }

  function readNow(): Promise<void> {
    reading ??= refresh().finally(() => {
      reading = undefined
    })
    return reading
  }

  async function poll(): Promise<void> {
    await readNow().catch((error: unknown) =>
      log.warn({ code: asFailure(error).code }, 'event schemas could not be read; the last ones hold'),
    )
  }

  const polling = createPolling(options.pollMs, poll)
  const component: Component = {
    name: 'event schemas',
    start: polling.start,
    stop: polling.stop,
  }
  return {
    checks: { of: schemas.of, unread: () => (isRead ? undefined : readNow().catch(unavailable)) },
    component,
  }
}
