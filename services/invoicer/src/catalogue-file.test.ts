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

test.each([
  ['nothing', '', 1, 'must hold'],
  ['a list', '- plans\n', 1, 'must hold'],
  ['an alias that names nothing', 'meters: []\nplans: *other\n', 2, 'other'],
  ['an alias inside of what it names', 'plans: &plans\n  - *plans\n', 2, 'inside'],
  ['aliases that unfold beyond measure', unfolding(), 2, 'alias'],
  ['text that cannot be stored', 'plans:\n  - id: a\n    name: "a\\0b"\n', 3, 'U+0000'],
])('%s is a fault with its line', (_name, content, line, reason) => {
  const file = readCatalogueFile(content)
  expect(file).toMatchObject({ faults: [{ line, reason: expect.stringContaining(reason) }] })
})

function unfolding(): string {
  const levels = Array.from(
    { length: 9 },
    (_, level) => `l${level + 1}: &l${level + 1} [${`*l${level}, `.repeat(9)}]`,
  )
  return `l0: &l0 [x]\n${levels.join('\n')}\n`
}
