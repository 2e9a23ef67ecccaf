import type { Pool, Queryable } from '@tidemark/infra/postgres/pool.ts'
import { transaction } from '@tidemark/infra/postgres/transaction.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import { canonicalJson } from '@tidemark/schemas/canonical-json.ts'
import type { Meter, MeterVersion } from '@tidemark/schemas/meter.ts'

/** Versions of one tenant, all meters together: each is sealed for as long as its events are kept. */
const versionsPerTenant = 1_000
/** Every event of the type is checked against all of them before it is acknowledged. */
const schemasPerEventType = 4
/** Ingest keeps them in memory, compiled. */
const schemasPerTenant = 200

export type Registration = {
  readonly meter: MeterVersion
  /** False when the latest version says the same already. */
  readonly isNew: boolean
}

export type MeterStore = {
  /**
   * A definition equal to the latest version's gives that version; another one becomes the next version.
   * @throws Failure `meter_limit_reached`, `schema_limit_reached`
   */
  register(tenant: string, meter: Meter): Promise<Registration>
  /** What register would do, without doing it. */
  preview(tenant: string, meter: Meter): Promise<Registration>
  /** The latest version of each meter, by key, after a key. */
  latest(tenant: string, after: string, limit: number): Promise<MeterVersion[]>
  /** The versions of one meter, the latest first. */
  versions(tenant: string, key: string): Promise<MeterVersion[]>
  /** Every version of every tenant, for the sealer, without the schemas of events: they count nothing. */
  all(): Promise<MeterVersion[]>
}

type Row = { tenant: string; version: number; definition: Meter }

const columns = 'tenant, version, definition'
const meterOf = ({ tenant, version, definition }: Row): MeterVersion => ({ ...definition, tenant, version })

export function createMeterStore(pool: Pool): MeterStore {
  return {
    register: (tenant, meter) =>
      transaction(pool, async (queryable) => {
        // One at a time per meter, or two requests would both become the next version.
        await queryable.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
          `meter ${tenant} ${meter.key}`,
        ])
        const registration = await compare(queryable, tenant, meter)
        if (registration.isNew) await insert(queryable, registration.meter, meter)
        return registration
      }),
    preview: (tenant, meter) => compare(pool, tenant, meter),
    async latest(tenant, after, limit) {
      const { rows } = await pool.query<Row>(
        `SELECT DISTINCT ON (key) ${columns} FROM metering.meters WHERE tenant = $1 AND key > $2
         ORDER BY key, version DESC LIMIT $3`,
        [tenant, after, limit],
      )
      return rows.map(meterOf)
    },
    async versions(tenant, key) {
      const { rows } = await pool.query<Row>(
        `SELECT ${columns} FROM metering.meters WHERE tenant = $1 AND key = $2 ORDER BY version DESC`,
        [tenant, key],
      )
      return rows.map(meterOf)
    },
    async all() {
      const { rows } = await pool.query<Row>(
        `SELECT tenant, version, definition - 'eventSchema' AS definition
         FROM metering.meters ORDER BY tenant, key, version`,
      )
      return rows.map(meterOf)
    },
  }
}

async function compare(queryable: Queryable, tenant: string, meter: Meter): Promise<Registration> {
  const { rows } = await queryable.query<Row & { total: number }>(
    `SELECT ${columns} FROM metering.meters WHERE tenant = $1 AND key = $2 ORDER BY version DESC LIMIT 1`,
    [tenant, meter.key],
  )
  const latest = rows[0]
  if (latest && canonicalJson(latest.definition) === canonicalJson(meter))
    return { meter: meterOf(latest), isNew: false }
  await checkLimit(queryable, tenant)
  if (meter.eventSchema !== undefined) await checkSchemaLimit(queryable, tenant, meter)
  return { meter: { ...meter, tenant, version: (latest?.version ?? 0) + 1 }, isNew: true }
}

async function checkLimit(queryable: Queryable, tenant: string): Promise<void> {
  const { rows } = await queryable.query<{ total: bigint }>(
    'SELECT count(*) AS total FROM metering.meters WHERE tenant = $1',
    [tenant],
  )
  if ((rows[0]?.total ?? 0n) >= versionsPerTenant)
    throw new Failure(`The tenant has ${versionsPerTenant} versions of meters already, which is the most`, {
      code: 'meter_limit_reached',
      retryable: false,
    })
}

async function checkSchemaLimit(queryable: Queryable, tenant: string, meter: Meter): Promise<void> {
  const { rows } = await queryable.query<{ key: string; eventType: string }>(
    `SELECT key, event_type AS "eventType" FROM metering.event_schemas
     WHERE tenant = $1 AND key <> $2 ORDER BY key`,
    [tenant, meter.key],
  )
  const others = rows.filter(({ eventType }) => eventType === meter.eventType).map(({ key }) => key)
  if (others.length >= schemasPerEventType)
    throw schemaLimit(
      `At most ${schemasPerEventType} meters of one event type carry an eventSchema; of ${meter.eventType} these do: ${others.join(', ')}. Put what this one asks for into one of theirs`,
    )
  if (rows.length >= schemasPerTenant)
    throw schemaLimit(
      `At most ${schemasPerTenant} meters of a tenant carry an eventSchema, and so many do; take it from one that needs none`,
    )
}

const schemaLimit = (message: string): Failure =>
  new Failure(message, { code: 'schema_limit_reached', retryable: false })

async function insert(queryable: Queryable, { tenant, version }: MeterVersion, meter: Meter): Promise<void> {
  await queryable.query(
    `INSERT INTO metering.meters (tenant, key, version, event_type, definition) VALUES ($1, $2, $3, $4, $5)`,
    [tenant, meter.key, version, meter.eventType, canonicalJson(meter)],
  )
}
