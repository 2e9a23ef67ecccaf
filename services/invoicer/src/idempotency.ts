import { createHash } from 'node:crypto'
import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import { canonicalJson, type Json } from '@tidemark/schemas/canonical-json.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'

export type Answer = { readonly status: number; readonly body: Json }

export type KeyedRequest = {
  readonly tenant: string
  /** The client's, from the header `Idempotency-Key`; undefined: the request is done each time that it comes. */
  readonly key: string | undefined
  /** All that tells one request from another: method, path and body. */
  readonly content: Json
}

/**
 * Does a request once: sent again under its key it gets the answer of the first time. Call it inside the transaction that
 * makes the changes, before any other lock is taken: whoever comes with the same key meanwhile waits for its end. What is
 * refused leaves nothing behind, so that a mended request may keep its key.
 * @throws HttpProblem 409 `idempotency_key_reused` when the key came with another request
 */
export async function answerOnce(
  queryable: Queryable,
  { tenant, key, content }: KeyedRequest,
  now: Micros1970,
  act: () => Promise<Answer>,
): Promise<Answer & { readonly isRepeated: boolean }> {
  if (key === undefined) return { ...(await act()), isRepeated: false }
  const sha256 = createHash('sha256').update(canonicalJson(content)).digest('hex')
  const claimed = await queryable.query(
    `INSERT INTO billing.idempotency_keys (tenant, key, request_sha256, created_at)
     VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
    [tenant, key, sha256, formatInstant(now)],
  )
  if (claimed.rowCount === 0)
    return { ...(await readAnswer(queryable, tenant, key, sha256)), isRepeated: true }
  const answer = await act()
  await queryable.query(
    'UPDATE billing.idempotency_keys SET status = $3, answer = $4 WHERE tenant = $1 AND key = $2',
    [tenant, key, answer.status, JSON.stringify(answer.body)],
  )
  return { ...answer, isRepeated: false }
}

async function readAnswer(
  queryable: Queryable,
  tenant: string,
  key: string,
  sha256: string,
): Promise<Answer> {
  const { rows } = await queryable.query<{ request_sha256: string; status: number; answer: Json }>(
    'SELECT request_sha256, status, answer FROM billing.idempotency_keys WHERE tenant = $1 AND key = $2',
    [tenant, key],
  )
  const [row] = rows
  if (!row || row.request_sha256 !== sha256)
    throw new HttpProblem({
      status: 409,
      code: 'idempotency_key_reused',
      detail: `The Idempotency-Key "${key}" came with another request before; use a new key for each request.`,
    })
  return { status: row.status, body: row.answer }
}
