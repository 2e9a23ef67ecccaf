import { expect, test } from 'vitest'
import { readKeysOrder } from './keys-order.ts'

const now = Date.UTC(2026, 10, 21, 12) * 1_000
const read = (line: string) => readKeysOrder(line === '' ? [] : line.split(' '), now)

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

test('the memory of a tenant is switched on and off', () => {
  expect(read('memory on --tenant acme')).toEqual({ kind: 'memory', tenant: 'acme', enabled: true })
  expect(read('memory off --tenant acme')).toEqual({ kind: 'memory', tenant: 'acme', enabled: false })
  expect(() => read('memory --tenant acme')).toThrow('memory is followed by on or off')
  expect(() => read('memory on')).toThrow('memory needs --tenant')
})

test('keys are rotated, and limits set, lifted and left alone', () => {
  const id = 'abcdefgh12345678'
  expect(read(`rotate ${id}`)).toEqual({ kind: 'rotate', id, overlapSeconds: 3_600 })
  expect(read(`rotate ${id} --overlap 0`)).toMatchObject({ overlapSeconds: 0 })
  expect(read('limits')).toEqual({ kind: 'limits' })
  expect(read('limit --tenant acme --events 500')).toEqual({
    kind: 'limit',
    tenant: 'acme',
    rates: { eventsPerSecond: 500 },
  })
  expect(read(`limit --key ${id} --events none --bytes 1000000`)).toEqual({
    kind: 'limit',
    keyId: id,
    rates: { eventsPerSecond: null, bytesPerSecond: 1_000_000 },
  })
})

test.each([
  ['', 'Give one of'],
  ['show', 'Give one of'],
  ['create', '--tenant'],
  ['create --tenant acme --scopes write', 'not "write"'],
  ['create --tenant acme --mode dev', 'not "dev"'],
  ['create --tenant acme --expires tomorrow', '"tomorrow"'],
  ['create --tenant acme --expires 2026-11-21T12:00:00Z', 'must lie in the future'],
  ['create --tenant acme --expires 2020-01-01T00:00:00Z', 'now is 2026-11-21T12:00:00.000000Z'],
  ['create --colour red', '--colour'],
  ['revoke', 'id of a key'],
  ['revoke tm_live_abc', 'id of a key'],
  ['rotate', 'id of a key'],
  ['rotate abcdefgh12345678 --overlap soon', '--overlap takes a whole number'],
  ['limit --events 5', 'either --tenant or --key'],
  ['limit --tenant acme --key abcdefgh12345678 --events 5', 'either --tenant or --key'],
  ['limit --tenant acme', '--events or --bytes'],
  ['limit --tenant acme --events 0', '--events takes a whole number from 1'],
  ['limit --tenant acme --bytes 1e9', 'or none'],
  ['limit --key acme --bytes 1', '--key is the id'],
  ['list all of', 'one word too many'],
])('"%s" is told what is wrong', (line, reason) => {
  expect(() => read(line)).toThrow(reason)
})
