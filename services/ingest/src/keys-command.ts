import { createKafka } from '@tidemark/infra/kafka/client.ts'
import { kafkaAccess } from '@tidemark/infra/kafka/security.ts'
import { createPool } from '@tidemark/infra/postgres/pool.ts'
import { systemClock } from '@tidemark/infra/process/clock.ts'
import { readConfigOrExit } from '@tidemark/infra/process/config.ts'
import { asFailure } from '@tidemark/infra/process/failure.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { databaseName } from '@tidemark/schemas/prefix.ts'
import { type ApiKey, createApiKey, findApiKey, listApiKeys, revokeApiKey } from './api-keys.ts'
import { configSchema } from './config.ts'
import { rotateApiKey } from './key-rotation.ts'
import { type KeysOrder, keysUsage, type LimitOrder, readKeysOrder } from './keys-order.ts'
import { type Limit, readLimits, setLimit } from './limits/limit-store.ts'
import { type MemorySwitch, setMemorySwitch } from './memory/switches.ts'
import { createTenant } from './tenants.ts'

const config = readConfigOrExit(configSchema, process.env)
const prefix = config.TIDEMARK_PREFIX
const log = createLog({ service: 'keys', level: 'warn', pretty: true })
const pool = createPool({
  url: config.POSTGRES_URL,
  database: databaseName(prefix),
  user: 'tidemark_ingest',
  password: config.POSTGRES_ROLE_PASSWORD,
  max: 1,
  applicationName: 'tidemark-keys',
  log,
})
const kafka = createKafka({ ...kafkaAccess(config), clientId: 'keys', log })

try {
  await carryOut(readKeysOrder(process.argv.slice(2), systemClock.nowMicros()))
} catch (error) {
  const { code, message } = asFailure(error)
  console.error(code === 'usage' ? `${message}\n\n${keysUsage}` : message)
  process.exitCode = 1
} finally {
  await pool.end()
  await kafka.disconnect()
}

async function carryOut(order: KeysOrder): Promise<void> {
  if (order.kind === 'list') return printKeys(await listApiKeys(pool))
  if (order.kind === 'revoke') {
    const isRevoked = await revokeApiKey(pool, order.id)
    if (isRevoked) return console.log(`Key ${order.id} is revoked; within 20 s no service takes it any more.`)
    return refuse(`There is no valid key ${order.id}; "list" shows all of them.`)
  }
  if (order.kind === 'rotate') {
    const rotated = await rotateApiKey(pool, order)
    if (!rotated) return refuse(`There is no valid key ${order.id}; "list" shows all of them.`)
    console.error(
      `Key ${rotated.id} follows ${order.id}, which ends ${rotated.oldExpiresAt}. Shown this once:`,
    )
    return console.log(rotated.key)
  }
  if (order.kind === 'limits') return printLimits(await readLimits(pool))
  if (order.kind === 'limit') return changeLimit(order)
  if (order.kind === 'memory') return changeMemory(order)
  const places = { pool, kafka, prefix, replicationFactor: config.KAFKA_REPLICATION_FACTOR }
  const tenant = await createTenant(places, order.tenant, order.tenantName)
  const { name, scopes, mode, expiresAt } = order
  const wanted = { tenant: tenant.id, name, scopes, mode, ...(expiresAt === undefined ? {} : { expiresAt }) }
  const { id, key } = await createApiKey(pool, wanted)
  // The key alone on standard output, so that a script can take it up.
  console.error(`Key ${id} of tenant ${tenant.id} may ${scopes.join(', ')}. It is shown this once:`)
  console.log(key)
}

async function changeLimit({ keyId, tenant, rates }: LimitOrder): Promise<void> {
  const owner = keyId === undefined ? tenant : (await findApiKey(pool, keyId))?.tenant
  const change = { tenant: owner ?? '', rates, ...(keyId === undefined ? {} : { keyId }) }
  const limit = await setLimit(pool, change)
  if (!limit) return refuse(`There is no ${keyId === undefined ? `tenant ${tenant}` : `key ${keyId}`}.`)
  printLimits([limit])
}

async function changeMemory(order: MemorySwitch): Promise<void> {
  const found = await setMemorySwitch(pool, order)
  if (!found) return refuse(`There is no tenant ${order.tenant}.`)
  const { tenant, enabled } = found
  console.log(
    enabled
      ? `Acknowledged ids of ${tenant} are remembered: repeats are answered as duplicates within seconds.`
      : `Acknowledged ids of ${tenant} are not remembered: its duplicates are found in the log.`,
  )
}

function refuse(message: string): void {
  console.error(message)
  process.exitCode = 1
}

function printLimits(limits: readonly Limit[]): void {
  if (limits.length === 0) console.log('There are no limits.')
  else
    console.table(
      limits.map(({ tenant, keyId, eventsPerSecond, bytesPerSecond }) => ({
        tenant,
        key: keyId ?? 'all together',
        'events/s': eventsPerSecond ?? 'no limit',
        'bytes/s': bytesPerSecond ?? 'no limit',
      })),
    )
}

function printKeys(keys: readonly ApiKey[]): void {
  const rows = keys.map((key) => ({
    id: key.id,
    tenant: key.tenant,
    name: key.name,
    mode: key.mode,
    scopes: key.scopes.join(','),
    created: key.createdAt,
    'last used': key.lastUsedAt ?? 'never',
    state:
      key.revokedAt !== null
        ? `revoked ${key.revokedAt}`
        : key.expiresAt === null
          ? 'valid'
          : `until ${key.expiresAt}`,
  }))
  if (rows.length === 0) console.log('There are no keys.')
  else console.table(Object.fromEntries(rows.map(({ id, ...row }) => [id, row])))
}
