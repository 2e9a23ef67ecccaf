import { formatInstant, parseInstant } from '@tidemark/schemas/instant.ts'
import { expect, test } from 'vitest'
import { monthEnd, monthStart } from './month.ts'
import { planRetention, type RetentionNeeds } from './plan.ts'

const at = (text: string): number => parseInstant(text) ?? Number.NaN
const nothing: RetentionNeeds = { open: [], certified: [], unsealed: [], carried: [] }
const stored = [201_812, 201_901, 201_902].map((month) => ({ month, rows: 1n }))
const now = at('2020-03-01T00:00:00Z')
const plan = (needs: Partial<RetentionNeeds>, days = 366) =>
  planRetention(stored, { ...nothing, ...needs }, days, now)

test('a month ends where the next one begins, over years too', () => {
  expect(formatInstant(monthStart(201_812))).toBe('2018-12-01T00:00:00.000000Z')
  expect(formatInstant(monthEnd(201_812))).toBe('2019-01-01T00:00:00.000000Z')
})

test('a month goes when the days since its end are over, to the day', () => {
  expect(plan({}).map(({ fate }) => fate)).toEqual(['expires', 'expires', 'expires'])
  expect(plan({}, 367).map(({ fate }) => fate)).toEqual(['expires', 'expires', 'kept'])
})

test('what is not billed stays, and every month after it', () => {
  const open = [
    { tenant: 'acme', subscription: 's', from: at('2019-01-31T23:00:00Z'), to: Number.POSITIVE_INFINITY },
  ]
  expect(plan({ open })).toMatchObject([
    { fate: 'expires' },
    { fate: 'refused', reasons: ['subscription s of acme is not billed from 2019-01-31 on'] },
    {
      fate: 'refused',
      reasons: ['subscription s of acme is not billed from 2019-01-31 on', '2019-01 before it stays'],
    },
  ])
})

test('a certificate holds the months of its period for as long as it must be verifiable', () => {
  const period = { tenant: 'acme', from: at('2018-12-01T00:00:00Z'), to: at('2019-01-01T00:00:00Z') }
  expect(plan({ certified: [{ ...period, until: now }] }).map(({ fate }) => fate)).toEqual([
    'expires',
    'expires',
    'expires',
  ])
  expect(plan({ certified: [{ ...period, until: now + 1 }] }).map(({ fate }) => fate)).toEqual([
    'refused',
    'refused',
    'refused',
  ])
})

test('hours without a seal, and meters that carry a level, hold their month', () => {
  expect(plan({ unsealed: [201_901] }).map(({ fate }) => fate)).toEqual(['expires', 'refused', 'refused'])
  const carried = [{ tenant: 'acme', meter: 'stored', month: 201_902 }]
  expect(plan({ carried }).map(({ fate }) => fate)).toEqual(['expires', 'expires', 'refused'])
})
