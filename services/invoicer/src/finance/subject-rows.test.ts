import { expect, test } from 'vitest'
import { changedRows } from './subject-rows.ts'

const may = '2026-05-01T00:00:00.000000Z'
const open = { valid_from: '1970-01-01T00:00:00.000000Z', valid_to: '2200-01-01T00:00:00.000000Z' }

test('only what differs is written, and what is gone is removed', () => {
  const rows = [
    { subject: 'kept', customer: 'a', from: null, to: null },
    { subject: 'moved', customer: 'b', from: null, to: null },
    { subject: 'ended', customer: 'a', from: null, to: may },
    { subject: 'new', customer: 'a', from: may, to: null },
  ]
  const published = [
    { subject: 'kept', customer: 'a', ...open },
    { subject: 'moved', customer: 'a', ...open },
    { subject: 'ended', customer: 'a', ...open },
    { subject: 'gone', customer: 'a', ...open },
  ]
  const changes = changedRows(rows, published)
  expect(changes).toEqual([
    { subject: 'moved', customer: 'b', ...open, removed: 0 },
    { subject: 'ended', customer: 'a', ...open, valid_to: may, removed: 0 },
    { subject: 'new', customer: 'a', ...open, valid_from: may, removed: 0 },
    { subject: 'gone', customer: 'a', ...open, removed: 1 },
  ])
})

test('a tenant without subjects has none left', () => {
  const none = { subject: null, customer: '', from: null, to: null }
  expect(changedRows([none], [])).toEqual([])
  expect(changedRows([none], [{ subject: 's', customer: 'a', ...open }])).toMatchObject([{ removed: 1 }])
})
