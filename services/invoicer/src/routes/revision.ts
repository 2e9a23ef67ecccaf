import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'

const entityTag = /^(?:W\/)?"(\d{1,18})"$/

/**
 * The revision that a writer has read, from its If-Match header; undefined when it has none or takes any.
 * @throws HttpProblem 400 for a header that no answer's etag is
 */
export function expectedRevision(request: FastifyRequest): bigint | undefined {
  const header = request.headers['if-match']
  if (header === undefined || header === '*') return undefined
  const match = entityTag.exec(header)
  if (match?.[1] !== undefined) return BigInt(match[1])
  const reason = 'must be the etag of an answer, such as "3", or be left out'
  throw new HttpProblem({
    status: 400,
    code: 'invalid_request',
    detail: `If-Match ${reason}.`,
    extensions: { errors: [{ field: 'if-match', reason }] },
  })
}

/** Tells the revision, which a writer sends back as If-Match so that nobody's change in between is overwritten. */
export const tellRevision = (reply: FastifyReply, revision: bigint): FastifyReply =>
  reply.header('etag', `"${revision}"`)
