import type { Principals } from '@tidemark/infra/access/principals.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import { formatPeriod } from '@tidemark/schemas/billing-period.ts'
import { formatInstant, type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'
import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import type { ClosingDeps } from '../closing/close.ts'
import { createCompletenessReader } from '../closing/watermark-store.ts'
import { itemKey } from '../unbilled/accounting.ts'
import { unbilledReasons } from '../unbilled/coverage.ts'
import { readUnbilled } from '../unbilled/read.ts'
import { showAccount, showItem } from '../unbilled/show.ts'
import { readEveryMeter } from '../unbilled/store.ts'
import { pageOf, pageParameters } from './pages.ts'

const instant = (description: string) => Type.Optional(Type.String({ maxLength: 64, description }))

export const unbilledQuery = Type.Object(
  {
    ...pageParameters,
    cursor: Type.String({ default: '', maxLength: 4000, description: 'nextCursor of the page before' }),
    from: instant('Events from this instant on, RFC 3339 with a zone; 31 days before `to` by default'),
    to: instant('Events before this instant, RFC 3339 with a zone; now by default'),
    meter: Type.Optional(Type.String({ maxLength: 63, description: 'Only this meter; all by default' })),
    reason: Type.Optional(Type.Enum([...unbilledReasons], { description: 'Only items with this reason' })),
  },
  { additionalProperties: false },
)

const microsPerDay = 86_400_000_000
/** A whole tenant's events are read for an answer. */
const mostDays = 100

/** `GET /v1/usage/unbilled`: what meters counted and no subscription bills, with the reason. */
export function addUnbilledRoute(
  server: FastifyInstance,
  { pool, clickHouse, clock }: Pick<ClosingDeps, 'pool' | 'clickHouse' | 'clock'>,
  principals: Principals,
): void {
  server.get<{ Querystring: Static<typeof unbilledQuery> }>(
    '/v1/usage/unbilled',
    { onRequest: principals.require('read'), schema: { querystring: unbilledQuery } },
    async (request) => {
      const { cursor, limit, meter: key, reason } = request.query
      const { tenant } = principals.of(request)
      const period = periodOf(request.query, clock.nowMicros())
      const all = await readEveryMeter(pool, tenant)
      const meters = all.filter((meter) => key === undefined || meter.key === key)
      if (key !== undefined && meters.length === 0) throw unknownMeter(key)
      const { cut, completeUntil } = await createCompletenessReader({ clickHouse, pool }, tenant)()
      const accounts = await readUnbilled({ pool, clickHouse }, { tenant, meters, period, cut })
      const after = cursor === '' ? '' : Buffer.from(cursor, 'base64url').toString()
      const items = accounts
        .flatMap((account) =>
          account.items.map((item) => ({ key: itemKey(item), item, meter: account.meter })),
        )
        .filter((each) => each.key > after && (reason === undefined || each.item.reason === reason))
        .sort((a, b) => (a.key < b.key ? -1 : 1))
      return {
        period: formatPeriod(period),
        usageUntil: Number.isFinite(completeUntil) ? formatInstant(completeUntil) : null,
        meters: accounts.map(showAccount),
        ...pageOf(
          items,
          limit,
          (each) => Buffer.from(each.key).toString('base64url'),
          ({ item, meter }) => showItem(item, meter),
        ),
      }
    },
  )
}

function periodOf({ from, to }: { from?: string; to?: string }, now: Micros1970): BillingPeriod {
  const end = to === undefined ? now : instantOf('to', to)
  const start = from === undefined ? end - 31 * microsPerDay : instantOf('from', from)
  if (start < 0 || start >= end) throw invalid('from', 'must lie before `to`, and from 1970 on')
  if (end - start > mostDays * microsPerDay)
    throw invalid('from', `must lie at most ${mostDays} days before \`to\`; ask for a part of the time`)
  return { start, end }
}

function instantOf(field: string, text: string): Micros1970 {
  const found = parseInstant(text)
  if (found === undefined) throw invalid(field, `"${text}" is no instant such as 2026-11-01T00:00:00Z`)
  return found
}

const invalid = (field: string, reason: string): HttpProblem =>
  new HttpProblem({
    status: 400,
    code: 'invalid_request',
    detail: `The query is not as expected: ${field}: ${reason}.`,
    extensions: { errors: [{ field, reason }] },
  })

const unknownMeter = (key: string): HttpProblem =>
  new HttpProblem({
    status: 404,
    code: 'meter_unknown',
    detail: `There is no meter "${key}"; the aggregator's GET /v1/meters lists those that exist.`,
  })
