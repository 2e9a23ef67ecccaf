import type { Scope } from '@tidemark/schemas/api-key.ts'
import type { FastifySchema } from 'fastify'
import { type TSchema, Type } from 'typebox'
import { HttpProblem, problemDocument } from '../process/problem.ts'

/** What the reference says of a route. It stands beside the route and is never attached to it: it costs no request. */
export type Operation = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** As the route is registered, like `/v1/things/:id`. */
  readonly url: string
  readonly schema: Documentation
}

type Documentation = FastifySchema & {
  readonly operationId: string
  readonly summary: string
  readonly description: string
  readonly tags: readonly string[]
  /** Scopes by the name of the security scheme. */
  readonly security?: readonly { readonly [scheme: string]: readonly string[] }[]
}

/** A refusal as a client meets it; `code` and `detail` as the route writes them. */
export type Refusal = {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly extensions?: Record<string, unknown>
}

export const problemSchema = Type.Object(
  {
    type: Type.String({ description: '`urn:tidemark:problem:` and the code.' }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'Stable; decide by it.' }),
    detail: Type.String({ description: 'What is wrong, where, and how to mend it.' }),
    errors: Type.Optional(
      Type.Array(Type.Object({ field: Type.String(), reason: Type.Optional(Type.String()) }), {
        description: 'Each field that is at fault.',
      }),
    ),
  },
  { $id: 'Problem', description: 'A problem document of RFC 9457; some have further members.' },
)

/** A refusal as the route throws it. */
export const refusalOf = ({ status, code, message, extensions }: HttpProblem): Refusal => ({
  status,
  code,
  detail: message,
  extensions,
})

/** An answer with a JSON body. */
export const answer = (description: string, schema: TSchema, example: unknown) => ({
  description,
  content: { 'application/json': { schema, example } },
})

/** Refusals as responses by status, each code with an example made as the service makes it. */
export function refusals(...lists: readonly (readonly Refusal[])[]): Record<number, object> {
  const byStatus = Map.groupBy(lists.flat(), ({ status }) => status)
  return Object.fromEntries([...byStatus].map(([status, found]) => [status, refusalResponse(found)]))
}

const retryAfter = {
  headers: { 'retry-after': { type: 'integer', description: 'Seconds until it is worth trying again.' } },
}

const refusalResponse = (found: readonly Refusal[]) => ({
  ...(found.some(({ status }) => status === 429 || status === 503) ? retryAfter : {}),
  description: found.map(({ code, detail }) => `\`${code}\`: ${detail}`).join('\n\n'),
  content: {
    'application/problem+json': {
      schema: { $ref: 'Problem#' },
      examples: Object.fromEntries(
        found.map((refusal) => [refusal.code, { value: problemDocument(new HttpProblem(refusal)) }]),
      ),
    },
  },
})

/** Security, and the refusals of every route that asks for a key with this scope. */
export const keyWith = (scope: Scope) => ({ security: [{ apiKey: [scope] }] })

export const keyRefusals = (scope: Scope): readonly Refusal[] => [
  { status: 401, code: 'api_key_missing', detail: 'Send the API key as "Authorization: Bearer tm_…".' },
  {
    status: 401,
    code: 'api_key_malformed',
    detail: 'This is no API key: it may be cut off or mistyped.',
  },
  { status: 401, code: 'api_key_unknown', detail: 'This API key is unknown, expired or revoked.' },
  {
    status: 403,
    code: 'scope_missing',
    detail: `This API key may not do this: it needs the scope "${scope}".`,
  },
]

export const serverRefusals: readonly Refusal[] = [
  {
    status: 500,
    code: 'internal',
    detail: 'The service failed; its log names the cause under the id in the x-request-id header.',
  },
  {
    status: 503,
    code: 'unavailable',
    detail: 'A server behind this service does not answer; send the same request again in 2 s.',
  },
]
