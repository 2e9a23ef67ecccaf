import { expect, test } from 'vitest'
import { readLedgerOrder } from './ledger-order.ts'

const read = (text: string) => readLedgerOrder(text.split(' '))

test('reads what it is asked for', () => {
  expect(read('check')).toEqual({
    kind: 'check',
    fromHour: undefined,
    toHour: undefined,
    tenant: undefined,
    payloads: true,
  })
  expect(
    read('check --from 1970-01-01T01:00:00Z --to 1970-01-01T03:00:00+01:00 --tenant acme'),
  ).toMatchObject({
    fromHour: 3600,
    toHour: 7200,
    tenant: 'acme',
  })
  expect(read('repair --log 1 --partition 3 --from 17 --to 17')).toEqual({
    kind: 'repair',
    log: 1,
    partition: 3,
    first: 17n,
    last: 17n,
    dryRun: false,
  })
  expect(read('repair --sealed --dry-run')).toMatchObject({ kind: 'repair-sealed', dryRun: true })
  expect(read('lost --list')).toEqual({ kind: 'lost-list' })
  expect(read('cut-over --to 2 --ingest-stopped')).toMatchObject({
    kind: 'cut-over',
    to: 2,
    ingestStopped: true,
  })
})

test.each([
  ['mend', 'check, lost, repair, rebuild, cut-over'],
  ['check all', 'one word too many'],
  ['check --from 2026-11-21T12:30:00Z', 'whole hour'],
  ['check --from 2026-11-21T12:00:00Z --to 2026-11-21T12:00:00Z', 'does not lie after'],
  ['check --partition 3', 'check takes no --partition'],
  ['lost --log 1 --partition 3 --from 9 --to 10', '--reason'],
  ['lost --log 1 --partition 3 --from 9 --to 8 --reason x', 'lies before'],
  ['lost --log 0 --partition 3 --from 9 --to 9 --reason x', '--log'],
  ['repair --log 1 --partition 3 --from x --to 9', '--from'],
  ['repair --sealed --partition 3', 'repair --sealed takes no --partition'],
  ['cut-over --to 1', '--to'],
])('"%s" is refused with what is wrong', (text, reason) => {
  expect(() => read(text)).toThrow(
    expect.objectContaining({ code: 'usage', message: expect.stringContaining(reason) }),
  )
})
