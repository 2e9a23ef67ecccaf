import { createLog } from '@tidemark/infra/process/log.ts'
import { createRedis, type RedisClient } from '@tidemark/infra/redis/client.ts'
import { setMemorySwitch } from '@tidemark/ingest/memory/switches.ts'
import { identityKey } from '@tidemark/schemas/event-identity.ts'
import { expect, vi } from 'vitest'
import type { Installation, TestTenant } from '../installation.ts'
import { postEvents, sampleEvent, soon } from './ingest-room.ts'

/** Redis as the tests look into it, without a prefix. */
export function openRedis(env: Record<string, string>): RedisClient {
  const log = createLog({ service: 'test', level: 'silent', pretty: false })
  return createRedis({ url: env.REDIS_URL ?? '', prefix: '', applicationName: 'test', log })
}

/** The keys of all ids that Redis remembers of this installation; an identity key ends each of them. */
export const rememberedKeys = (redis: RedisClient, { prefix }: Installation): Promise<Buffer[]> =>
  redis.keysBuffer(`${prefix}acked:*`)

/** The key under which an event is remembered, if it is. */
export async function rememberedKey(
  redis: RedisClient,
  installation: Installation,
  { tenantNumber }: TestTenant,
  { source, id }: Record<string, unknown>,
): Promise<Buffer | undefined> {
  const identity = identityKey(tenantNumber, String(source), String(id))
  const keys = await rememberedKeys(redis, installation)
  return keys.find((key) => key.subarray(-identity.length).equals(identity))
}

export async function switchMemory(
  installation: Installation,
  tenant: string,
  enabled: boolean,
): Promise<void> {
  const pool = installation.openPool('tidemark_ingest')
  expect(await setMemorySwitch(pool, { tenant, enabled })).toEqual({ tenant, enabled })
}

/** What the answer says, without its results. */
export const counts = (accepted: number, duplicates: number, rejected = 0) => ({
  status: 202,
  body: { accepted, duplicates, rejected },
})

/** Sends an event, and again until it is a duplicate: then ids are remembered and recalled. */
export async function untilRemembering(url: string, { key }: TestTenant): Promise<void> {
  const event = sampleEvent()
  await vi.waitFor(
    async () => expect(await postEvents(url, event, { key })).toMatchObject(counts(0, 1)),
    soon,
  )
}
