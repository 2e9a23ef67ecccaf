import { expect, test } from 'vitest'
import { readKeysOrder } from './keys-order.ts'

const read = (line: string) => readKeysOrder(line === '' ? [] : line.split(' '))

test('a line becomes an order', () => {
  expect(read('list')).toEqual({ kind: 'list' })
  expect(read('revoke abcdefgh12345678')).toEqual({ kind: 'revoke', id: 'abcdefgh12345678' })
  expect(read('create --tenant acme')).toEqual({
    kind: 'create',
    tenant: 'acme',
    tenantName: 'acme',
    name: 'key',
    scopes: ['ingest', 'read', 'admin'],
    mode: 'live',
  })
  expect(
    read('create --tenant acme --name Acme --scopes read,ingest --mode test --expires 2027-01-01T00:00:00Z'),
  ).toEqual({
    kind: 'create',
    tenant: 'acme',
    tenantName: 'Acme',
    name: 'Acme',
    scopes: ['ingest', 'read'],
    mode: 'test',
    expiresAt: '2027-01-01T00:00:00Z',
  })
})

test.each([
  ['', 'Give one of'],
  ['show', 'Give one of'],
  ['create', '--tenant'],
  ['create --tenant acme --scopes write', 'not "write"'],
  ['create --tenant acme --mode dev', 'not "dev"'],
  ['create --tenant acme --expires tomorrow', '"tomorrow"'],
  ['create --colour red', '--colour'],
  ['revoke', 'id of a key'],
  ['revoke tm_live_abc', 'id of a key'],
  ['list all of', 'one word too many'],
])('"%s" is told what is wrong', (line, reason) => {
  expect(() => read(line)).toThrow(reason)
})
