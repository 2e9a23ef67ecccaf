import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { defaultLimits, readFinanceUsers } from './users-file.ts'
import { usersXml } from './users-xml.ts'

const passwordSha256 = 'a'.repeat(64)

test('limits that are not given are the default ones', () => {
  const read = readFinanceUsers(
    JSON.stringify({ users: [{ name: 'finance', tenant: '*', passwordSha256 }], limits: { seconds: 5 } }),
  )
  expect(read.limits).toEqual({ ...defaultLimits, seconds: 5 })
})

test('the example can be applied as it stands', async () => {
  const docs = join(import.meta.dirname, '..', '..', '..', '..', 'docs')
  const { users } = readFinanceUsers(await readFile(join(docs, 'examples', 'finance-users.json'), 'utf8'))
  expect(users.map(({ name, tenant }) => [name, tenant])).toEqual([
    ['finance', '*'],
    ['local_bi', 'local'],
  ])
})

test.each([
  ['{', 'it is no JSON'],
  ['{}', 'users is missing'],
  [{ name: 'Bob', tenant: '*', passwordSha256 }, 'users.0.name'],
  [{ name: 'bob', tenant: "a' OR 1", passwordSha256 }, "give a tenant's id, or * for all tenants"],
  [{ name: 'bob', tenant: 'acme', passwordSha256: 'secret' }, 'give the SHA-256 of the password'],
  [{ name: 'bob', tenant: 'acme', passwordSha256, networks: ['<ip>'] }, 'users.0.networks.0'],
])('%j is refused with what to mend', (given, said) => {
  const text = typeof given === 'string' ? given : JSON.stringify({ users: [given] })
  expect(() => readFinanceUsers(text)).toThrow(said)
})

test('a name is given once', () => {
  const user = { name: 'bob', tenant: 'acme', passwordSha256 }
  expect(() => readFinanceUsers(JSON.stringify({ users: [user, user] }))).toThrow('"bob" stands there twice')
})

test('every view that may be read has a policy, and names carry the prefix', () => {
  const xml = usersXml('t1-', {
    users: [{ name: 'bob', tenant: 'acme', passwordSha256 }],
    limits: defaultLimits,
  })
  const granted = [...xml.matchAll(/GRANT SELECT ON t1_tidemark_finance\.(\w+)/g)].map(([, view]) => view)
  const kept = [...xml.matchAll(/<(\w+)><filter>tenant = 'acme'<\/filter>/g)].map(([, view]) => view)
  expect(granted.length).toBeGreaterThan(0)
  expect(kept).toEqual(granted)
  expect(xml).toContain('<t1_bob replace="replace">')
})
