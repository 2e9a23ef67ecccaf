import { topicProvision } from '@tidemark/infra/installation/topic-provision.ts'
import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { provisionTopics } from '@tidemark/infra/kafka/topics.ts'
import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import { isTenantId, type TenantId } from '@tidemark/schemas/identifiers.ts'
import { inboundTopicSpec } from '@tidemark/schemas/topics.ts'

export type Tenant = {
  readonly id: TenantId
  /** First part of every identity key. */
  readonly number: number
  readonly name: string
}

export type TenantPlaces = {
  pool: Queryable
  kafka: KafkaClient
  prefix: string
  replicationFactor: number
}

/**
 * Makes a tenant and its inbound topic, or gives back the one that exists; the name of an existing one is kept. The topic
 * comes second: a tenant without a topic is mended by calling again, a topic without a tenant would take in events that
 * nobody reads.
 * @throws Failure `tenant_invalid` for an id that no topic could be named after.
 */
export async function createTenant(places: TenantPlaces, id: string, name: string): Promise<Tenant> {
  if (!isTenantId(id))
    throw new Failure(
      `"${id}" cannot be a tenant's id: use 1 to 63 characters of a-z, 0-9, "-" and "_", the first a letter or digit`,
      { code: 'tenant_invalid', retryable: false },
    )
  const added = 'INSERT INTO access.tenants (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING'
  await places.pool.query(added, [id, name.trim() === '' ? id : name.trim()])
  const tenant = await findTenant(places.pool, id)
  if (!tenant) throw new Failure(`tenant ${id} is not kept`, { code: 'unexpected', retryable: false })
  await provisionTopics(places.kafka, [topicProvision(inboundTopicSpec(id), places)])
  return tenant
}

export async function findTenant(pool: Queryable, id: string): Promise<Tenant | undefined> {
  const { rows } = await pool.query<Tenant>('SELECT id, number, name FROM access.tenants WHERE id = $1', [id])
  return rows[0]
}

export async function listTenants(pool: Queryable): Promise<Tenant[]> {
  const { rows } = await pool.query<Tenant>('SELECT id, number, name FROM access.tenants ORDER BY number')
  return rows
}
