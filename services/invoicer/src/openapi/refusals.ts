import {
  keyRefusals,
  keyWith,
  type Refusal,
  refusals,
  serverRefusals,
} from '@tidemark/infra/openapi/operation.ts'
import type { Scope } from '@tidemark/schemas/api-key.ts'
import { type TSchema, Type } from 'typebox'

/** Who may call, and what every route with a key may answer besides its own refusals. */
export const withKey = (scope: Scope, ...own: readonly Refusal[]) => ({
  ...keyWith(scope),
  refused: refusals(own, keyRefusals(scope), serverRefusals),
})

export const badRequest: Refusal = {
  status: 400,
  code: 'invalid_request',
  detail: 'The query is not as expected: limit must be at most 1000.',
  extensions: { errors: [{ field: 'limit', reason: 'must be at most 1000' }] },
}

export const invalidBody: Refusal = {
  status: 422,
  code: 'invalid_request',
  detail: 'The body is not as expected: until must be an instant such as 2026-12-01T00:00:00Z.',
  extensions: { errors: [{ field: 'until', reason: 'must be an instant such as 2026-12-01T00:00:00Z' }] },
}

export const invalidCatalogue: Refusal = {
  status: 422,
  code: 'invalid_catalogue',
  detail:
    'Nothing is applied: plans[0].prices[1].meter: there is no meter "cals"; create it or mend the name.',
  extensions: {
    errors: [
      { path: 'plans[0].prices[1].meter', reason: 'there is no meter "cals"; create it or mend the name' },
    ],
  },
}

export const revisionConflict: Refusal = {
  status: 409,
  code: 'revision_conflict',
  detail: 'Nothing is applied: "acme" is at revision 4 by now, not 3. Read it again, and decide anew.',
  extensions: { revision: '4' },
}

export const unknown = (code: string, detail: string): Refusal => ({ status: 404, code, detail })

/** A page of a list. */
export const pageOfSchema = (items: TSchema) =>
  Type.Object({
    items: Type.Array(items),
    nextCursor: Type.Union([Type.String(), Type.Null()], { description: 'Null on the last page.' }),
  })

/** An answer with a revision. */
export const revised = (description: string, schema: TSchema, example: unknown) => ({
  description,
  headers: { etag: { type: 'string', description: 'The revision; send it back as If-Match.' } },
  content: { 'application/json': { schema, example } },
})

/** The header of a writer who has read a revision. */
export const ifMatch = Type.Object({
  'if-match': Type.Optional(
    Type.String({ description: 'The etag that was read: the change is refused when there is a newer one.' }),
  ),
})
