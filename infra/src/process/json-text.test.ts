import { expect, test } from 'vitest'
import { unstorableText } from './json-text.ts'

test('text that no store keeps is found by its path, in values and in names', () => {
  expect(unstorableText({ plans: [{ name: 'fine 😀' }] })).toBeUndefined()
  expect(unstorableText({ plans: [{ name: 'a\0b' }] })).toBe('plans.0.name')
  expect(unstorableText({ plans: [{ name: '\ud800' }] })).toBe('plans.0.name')
  expect(unstorableText({ plans: { '\0': 1 } })).toBe("A field's name in plans")
  expect(unstorableText('\udfff')).toBe('The body')
})

test('a body nested deeper than calls may be is walked all the same', () => {
  expect(unstorableText(JSON.parse(`${'['.repeat(50_000)}"\\u0000"${']'.repeat(50_000)}`))).toMatch(/^0\.0\./)
})
