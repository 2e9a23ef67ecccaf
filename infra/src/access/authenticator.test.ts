import { formatApiKey, hashApiKey } from '@tidemark/schemas/api-key.ts'
import { expect, test } from 'vitest'
import type { Queryable } from '../postgres/pool.ts'
import { Failure } from '../process/failure.ts'
import { createAuthenticator } from './authenticator.ts'

const key = formatApiKey('live', 'a'.repeat(16), Buffer.alloc(32, 1))
const other = formatApiKey('live', 'b'.repeat(16), Buffer.alloc(32, 2))
const row = { id: 'a'.repeat(16), tenant: 'acme', tenant_number: 3, scopes: ['ingest'] }

/** Answers as the view does, as far as one key goes, and counts how often it is asked. */
function createDoor() {
  const door = { asked: 0, valid: true, answers: true, now: 0 }
  const pool: Queryable = {
    async query<Row>(_sql: string, values: readonly unknown[] = []) {
      door.asked += 1
      if (!door.answers) throw new Failure('away', { code: 'postgres_unreachable', retryable: true })
      const isKnown =
        door.valid && hashApiKey(key).equals(Buffer.from(values[0] instanceof Buffer ? values[0] : []))
      const rows: Row[] = JSON.parse(JSON.stringify(isKnown ? [row] : []))
      return { rows, rowCount: rows.length, command: 'SELECT' }
    },
  }
  const authenticator = createAuthenticator(pool, () => door.now)
  const ask = (header: string | undefined) => authenticator.authenticate(header, 'ingest')
  return { door, ask, authenticator }
}

test('a key is looked up once in 20 s, and a revoked one refused after that', async () => {
  const { door, ask } = createDoor()
  const principal = { keyId: row.id, tenant: 'acme', tenantNumber: 3, scopes: ['ingest'] }
  await expect(ask(`Bearer ${key}`)).resolves.toEqual(principal)
  door.valid = false
  door.now = 19_999
  await expect(ask(`Bearer ${key}`)).resolves.toEqual(principal)
  expect(door.asked).toBe(1)
  door.now = 20_000
  await expect(ask(`Bearer ${key}`)).rejects.toMatchObject({ status: 401, code: 'api_key_unknown' })
})

test('the scheme is read in any case, as HTTP says', async () => {
  const { ask } = createDoor()
  await expect(ask(`bearer ${key}`)).resolves.toMatchObject({ tenant: 'acme' })
})

test('an unknown key is remembered too, so that guessing costs the database nothing', async () => {
  const { door, ask } = createDoor()
  for (let attempt = 0; attempt < 3; attempt++)
    await expect(ask(`Bearer ${other}`)).rejects.toMatchObject({ code: 'api_key_unknown' })
  expect(door.asked).toBe(1)
})

test.each([
  [undefined, 'api_key_missing'],
  ['', 'api_key_missing'],
  [`Basic ${key}`, 'api_key_missing'],
  ['Bearer ', 'api_key_malformed'],
  [`Bearer ${key.slice(0, -1)}`, 'api_key_malformed'],
  [`Bearer ${key.replace('aaaa', 'aaab')}`, 'api_key_malformed'],
])('%s is refused without asking the database', async (header, code) => {
  const { door, ask } = createDoor()
  await expect(ask(header)).rejects.toMatchObject({
    status: 401,
    code,
    headers: { 'www-authenticate': 'Bearer' },
  })
  expect(door.asked).toBe(0)
})

test('a scope that the key lacks is named', async () => {
  const { authenticator } = createDoor()
  await expect(authenticator.authenticate(`Bearer ${key}`, 'read')).rejects.toMatchObject({
    status: 403,
    code: 'scope_missing',
    message: expect.stringContaining('"read"'),
  })
})

test('a database that does not answer is no verdict: the next request asks again', async () => {
  const { door, ask } = createDoor()
  door.answers = false
  await expect(ask(`Bearer ${key}`)).rejects.toMatchObject({ code: 'postgres_unreachable', retryable: true })
  door.answers = true
  await expect(ask(`Bearer ${key}`)).resolves.toMatchObject({ tenant: 'acme' })
})
