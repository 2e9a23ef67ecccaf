import { expect, test } from 'vitest'
import { createByteBudget } from './byte-budget.ts'

test('no more is held than there is room for, and what is given back can be taken again', () => {
  const budget = createByteBudget({ totalBytes: 100, tenantBytes: 100 })
  const first = budget.open('acme')
  const second = budget.open('acme')
  expect(first.take(60)).toBe(true)
  expect(second.take(41)).toBe(false)
  expect(second.take(40)).toBe(true)
  expect(budget.heldBytes()).toBe(100)
  first.release()
  first.release()
  expect(budget.heldBytes()).toBe(40)
  expect(second.take(60)).toBe(true)
})

test('one tenant leaves room for the others', () => {
  const budget = createByteBudget({ totalBytes: 100, tenantBytes: 50 })
  expect(budget.open('greedy').take(50)).toBe(true)
  expect(budget.open('greedy').take(1)).toBe(false)
  expect(budget.open('acme').take(50)).toBe(true)
  expect(budget.open('other').take(1)).toBe(false)
})

test('a hold that is released takes nothing any more', () => {
  const budget = createByteBudget({ totalBytes: 100, tenantBytes: 100 })
  const hold = budget.open('acme')
  hold.release()
  expect(hold.take(1)).toBe(false)
  expect(budget.heldBytes()).toBe(0)
})
