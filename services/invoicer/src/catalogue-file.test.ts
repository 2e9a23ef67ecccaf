import { expect, test } from 'vitest'
import { readCatalogueFile } from './catalogue-file.ts'

const text = `# two plans
plans:
  - id: starter
    prices:
      - { id: base, model: flat }
      - id: calls
        meter: cals
  - id: growth
customers: []
`

test('finds the line of a path, of an item, and of what should hold a missing key', () => {
  const file = readCatalogueFile(text)
  if ('faults' in file) throw new Error('sound YAML')
  expect(file.lineOf('plans[0].prices[1].meter')).toBe(7)
  expect(file.lineOf('plans[0].prices[0].amount')).toBe(5)
  expect(file.lineOf('plans[1]')).toBe(8)
  expect(file.lineOf('plans[0].name')).toBe(3)
  expect(file.lineOf('customers')).toBe(9)
  expect(file.lineOf('')).toBe(1)
})

test('an instant stays text, and a broken file is told by its line', () => {
  const file = readCatalogueFile('subscriptions:\n  - start: 2026-10-01T00:00:00Z\n')
  expect(file).toMatchObject({ value: { subscriptions: [{ start: '2026-10-01T00:00:00Z' }] } })
  expect(readCatalogueFile('plans:\n  - id: "open\n')).toMatchObject({ faults: [{ line: 3 }] })
})
