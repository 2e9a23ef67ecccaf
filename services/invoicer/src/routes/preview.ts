import type { Principals } from '@tidemark/infra/access/principals.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import { subscriptionChangeSchemas } from '@tidemark/schemas/subscription-change.ts'
import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import type { Completeness } from '../closing/completeness.ts'
import { createLiveCompleteness } from '../closing/live-completeness.ts'
import { type Draft, isRefusal, type Refusal } from '../invoicing/compose.ts'
import { type PreviewDeps, previewNext } from '../invoicing/preview.ts'
import { showDraft } from '../invoicing/show.ts'
import { workOut } from '../subscriptions/perform.ts'
import { unknownSubscription } from '../subscriptions/problems.ts'
import type { SubscriptionRequest } from '../subscriptions/requests.ts'
import { readSubscriptions } from '../subscriptions/store.ts'
import type { Subscription } from '../subscriptions/subscription.ts'

const params = Type.Object({ key: Type.String({ minLength: 1, maxLength: 256 }) })

/** What would change, as the request of that name takes it; nothing for the next invoice as it is. */
export const previewBody = Type.Object(
  {
    ...subscriptionChangeSchemas.change.properties,
    operation: Type.Optional(
      Type.Enum(['change', 'pause', 'resume', 'cancel'], {
        description: 'The request that is tried out, by the last part of its address; change by default',
      }),
    ),
  },
  { additionalProperties: false },
)
type PreviewBody = Static<typeof previewBody>

export type PreviewRouteDeps = PreviewDeps & { readonly pool: Pool; readonly clock: Clock }

/** `POST /v1/subscriptions/{key}/preview`: the next invoice, and the one that a change would cause; nothing is stored. */
export function addPreviewRoute(
  server: FastifyInstance,
  deps: PreviewRouteDeps,
  principals: Principals,
): void {
  const readCompleteness = createLiveCompleteness(deps)
  server.post<{ Params: Static<typeof params>; Body: PreviewBody | null | undefined }>(
    '/v1/subscriptions/:key/preview',
    {
      onRequest: principals.require('read'),
      preValidation: async (request) => {
        request.body ??= {}
      },
      schema: { params, body: previewBody },
    },
    async (request) => {
      const { tenant } = principals.of(request)
      const { key } = request.params
      const [subscription] = await readSubscriptions(deps.pool, tenant, { keys: [key] })
      if (!subscription) throw unknownSubscription(key)
      const change = changeOf(request.body ?? {})
      const changed =
        change && (await workOut(deps.pool, tenant, subscription, change, deps.clock.nowMicros()))
      const complete = await readCompleteness(tenant)
      const preview = async (of: Subscription) => shown(await previewNext(deps, tenant, of, complete))
      const [next, after] = await Promise.all([preview(subscription), changed ? preview(changed) : null])
      return { usageUntil: instantOrNull(complete), next, changed: after }
    },
  )
}

/** Undefined when the body names nothing that could change. */
function changeOf({ operation = 'change', ...body }: PreviewBody): SubscriptionRequest | undefined {
  if (operation === 'change') return Object.keys(body).length === 0 ? undefined : { operation, body }
  const { effective, ...others } = body
  const [field] = Object.keys(others)
  if (field !== undefined) throw notTaken(field, operation)
  return { operation, body: effective === undefined ? {} : { effective } }
}

function notTaken(field: string, operation: string): HttpProblem {
  const reason = `a preview of ${operation} takes effective alone`
  return new HttpProblem({
    status: 422,
    code: 'invalid_request',
    detail: `Nothing is previewed: ${field}: ${reason}.`,
    extensions: { errors: [{ field, reason }] },
  })
}

const instantOrNull = ({ completeUntil }: Completeness): string | null =>
  Number.isFinite(completeUntil) ? formatInstant(completeUntil) : null

/** @throws HttpProblem 409 when no invoice can be made of what is there */
function shown(draft: Draft | Refusal | undefined) {
  if (draft === undefined) return null
  if (!isRefusal(draft)) return showDraft(draft)
  throw new HttpProblem({
    status: 409,
    code: draft.code,
    detail: `No invoice can be made of subscription "${draft.due.subscription.key}": ${draft.reason}.`,
  })
}
