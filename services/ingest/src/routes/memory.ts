import type { Principals } from '@tidemark/infra/access/principals.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { type MemorySwitch, readMemorySwitch, setMemorySwitch } from '../memory/switches.ts'

export const memoryChangeSchema = Type.Object({ enabled: Type.Boolean() }, { additionalProperties: false })

/** An admin key switches the memory of its own tenant; it holds within a few seconds. */
export function addMemoryRoutes(server: FastifyInstance, pool: Pool, principals: Principals): void {
  const onRequest = principals.require('admin')

  server.get('/v1/memory', { onRequest }, async (request) => {
    const { tenant } = principals.of(request)
    return there(await readMemorySwitch(pool, tenant), tenant)
  })

  server.put<{ Body: Static<typeof memoryChangeSchema> }>(
    '/v1/memory',
    { onRequest, schema: { body: memoryChangeSchema } },
    async (request) => {
      const { tenant } = principals.of(request)
      return there(await setMemorySwitch(pool, { tenant, enabled: request.body.enabled }), tenant)
    },
  )
}

/** Every key belongs to a tenant, and tenants are never removed. */
function there(found: MemorySwitch | undefined, tenant: string): MemorySwitch {
  if (found) return found
  throw new Failure(`tenant ${tenant} has a key and no row`, { code: 'unexpected', retryable: false })
}
