import { randomBytes } from 'node:crypto'
import { createPool } from '@tidemark/infra/postgres/pool.ts'
import { transaction } from '@tidemark/infra/postgres/transaction.ts'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'

const url = inject('stackEnvironment').POSTGRES_URL ?? ''
const { username, password } = new URL(url)
const admin = {
  database: 'postgres',
  user: decodeURIComponent(username),
  password: decodeURIComponent(password),
}
const pool = createPool({ url, ...admin, max: 3, applicationName: 'test' })
const table = `public.things_${randomBytes(4).toString('hex')}`

beforeAll(() =>
  pool.query(`CREATE TABLE ${table} (id bigint CONSTRAINT things_pkey_${table.slice(-8)} PRIMARY KEY)`),
)

afterAll(async () => {
  await pool.query(`DROP TABLE ${table}`)
  await pool.end()
})

const insert = `INSERT INTO ${table} VALUES ($1)`
const ids = async () =>
  (await pool.query<{ id: bigint }>(`SELECT id FROM ${table} ORDER BY id`)).rows.map(({ id }) => id)

test('columns come back exactly', async () => {
  const { rows } = await pool.query(
    `SELECT 9223372036854775807::bigint AS big, 0.10::numeric AS exact, '2026-01-31T23:59:59.123456+02'::timestamptz AS time,
            '2026-02-28'::date AS day, ARRAY[1, NULL]::bigint[] AS bigs, $1::bigint AS given`,
    [5n],
  )
  const time = '2026-01-31T21:59:59.123456Z'
  expect(rows).toEqual([
    { big: 9223372036854775807n, exact: '0.10', time, day: '2026-02-28', bigs: [1n, null], given: 5n },
  ])
})

test('what rejects leaves nothing behind, and its own error comes out', async () => {
  const mine = new Error('mine')
  const failing = transaction(pool, async (queryable) => {
    await queryable.query(insert, [1n])
    throw mine
  })
  await expect(failing).rejects.toBe(mine)
  expect(await ids()).not.toContain(1n)
})

test('a constraint is named', async () => {
  await transaction(pool, (queryable) => queryable.query(insert, [2n]))
  await expect(transaction(pool, (queryable) => queryable.query(insert, [2n]))).rejects.toMatchObject({
    code: 'unique_violation',
    constraint: `things_pkey_${table.slice(-8)}`,
  })
})

test('a transaction whose failed statement was swallowed is not reported as committed', async () => {
  const swallowing = transaction(pool, async (queryable) => {
    await queryable.query(insert, [3n])
    await queryable.query('SELECT 1 / 0').catch(() => {})
  })
  await expect(swallowing).rejects.toMatchObject({ code: 'rolled_back' })
  expect(await ids()).not.toContain(3n)
})

test('two serializable transactions that contradict each other: one is told to try again', async () => {
  const bothHaveRead = Promise.withResolvers<void>()
  let readers = 0
  const contend = (id: bigint) =>
    transaction(
      pool,
      async (queryable) => {
        await queryable.query(`SELECT count(*) FROM ${table}`)
        readers += 1
        if (readers === 2) bothHaveRead.resolve()
        await bothHaveRead.promise
        await queryable.query(insert, [id])
      },
      { isolation: 'serializable' },
    )
  const outcomes = await Promise.allSettled([contend(10n), contend(11n)])
  const rejected = outcomes.filter((outcome) => outcome.status === 'rejected')
  expect(rejected).toHaveLength(1)
  expect(rejected[0]?.reason).toMatchObject({ code: 'postgres_serialization', retryable: true })
})

test('a connection lost during COMMIT is reported as not known, and the pool goes on', async () => {
  const cut = transaction(pool, async (queryable) => {
    await queryable.query(insert, [20n])
    const { rows } = await queryable.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    await pool.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid])
  })
  await expect(cut).rejects.toMatchObject({ code: 'commit_unknown', retryable: false })
  expect(await ids()).not.toContain(20n)
})
