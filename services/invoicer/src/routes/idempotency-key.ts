import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import type { FastifyRequest } from 'fastify'

/**
 * The key under which a request may be sent again, from its header; undefined when it has none.
 * @throws HttpProblem 400 for one that cannot be kept
 */
export function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const header = request.headers['idempotency-key']
  if (header === undefined) return undefined
  if (typeof header === 'string' && /^[\x20-\x7e]{1,255}$/.test(header)) return header
  const reason = 'must be 1 to 255 printable ASCII characters, such as a UUID'
  throw new HttpProblem({
    status: 400,
    code: 'invalid_request',
    detail: `Idempotency-Key ${reason}.`,
    extensions: { errors: [{ field: 'idempotency-key', reason }] },
  })
}
