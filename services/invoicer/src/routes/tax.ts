import type { Principals } from '@tidemark/infra/access/principals.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { dateField } from '@tidemark/schemas/catalogue-fields.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { chooseProvider, putTaxRates } from '../tax/changes.ts'
import { taxProviderNames } from '../tax/port.ts'
import { readTaxRates } from '../tax/rate-store.ts'
import { providerOn, readTaxSettings, settingsRevision } from '../tax/settings-store.ts'
import { taxRateSchema } from '../tax/tax-rate.ts'
import { expectedRevision, tellRevision } from './revision.ts'

const closed = { additionalProperties: false }

export const settingBody = Type.Object(
  {
    provider: Type.Enum([...taxProviderNames], {
      description: 'fixed: rates of your own; stripe: Stripe Tax; none: no tax at all',
    }),
    from: Type.Optional(
      Type.String({
        ...dateField,
        description: 'The first date that it answers for; today (UTC) by default',
      }),
    ),
  },
  closed,
)

/** All rates of most tenants, some dozens; those of every county belong to a provider that keeps them. */
const mostRates = 5000
export const ratesBody = Type.Object({ rates: Type.Array(taxRateSchema, { maxItems: mostRates }) }, closed)

/** Who answers about tax, and the tenant's own rates: both touch calculations that are yet to be made. */
export function addTaxRoutes(
  server: FastifyInstance,
  deps: { readonly pool: Pool; readonly clock: Clock },
  principals: Principals,
): void {
  const { pool, clock } = deps
  const reading = { onRequest: principals.require('read') }
  const writing = principals.require('admin')
  const today = () => formatInstant(clock.nowMicros()).slice(0, 10)

  const settingsOf = async (tenant: string) => {
    const settings = await readTaxSettings(pool, tenant)
    return { provider: providerOn(settings, today()), settings }
  }

  server.get('/v1/tax/settings', reading, async (request, reply) => {
    const { tenant } = principals.of(request)
    tellRevision(reply, await settingsRevision(pool, tenant))
    return settingsOf(tenant)
  })

  server.put<{ Body: Static<typeof settingBody> }>(
    '/v1/tax/settings',
    { onRequest: writing, schema: { body: settingBody } },
    async (request, reply) => {
      const { tenant, keyId } = principals.of(request)
      const { provider, from = today() } = request.body
      const writer = { tenant, actor: keyId, expected: expectedRevision(request) }
      tellRevision(reply, await chooseProvider(deps, writer, { provider, from }))
      return settingsOf(tenant)
    },
  )

  server.get('/v1/tax/rates', reading, async (request, reply) => {
    const { rates, revision } = await readTaxRates(pool, principals.of(request).tenant)
    tellRevision(reply, revision)
    return { rates }
  })

  server.put<{ Body: Static<typeof ratesBody> }>(
    '/v1/tax/rates',
    { onRequest: writing, schema: { body: ratesBody } },
    async (request, reply) => {
      const { tenant, keyId } = principals.of(request)
      const writer = { tenant, actor: keyId, expected: expectedRevision(request) }
      tellRevision(reply, await putTaxRates(deps, writer, request.body.rates))
      return { rates: (await readTaxRates(pool, tenant)).rates }
    },
  )
}
