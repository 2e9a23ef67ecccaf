import { expect, test } from 'vitest'
import { formatApiKey, hashApiKey, parseApiKey } from './api-key.ts'

const key = formatApiKey('live', 'abcdefgh12345678', new Uint8Array(32).fill(7))

test('a key tells its id and mode', () => {
  expect(key).toMatch(/^tm_live_abcdefgh12345678/)
  expect(parseApiKey(key)).toEqual({ id: 'abcdefgh12345678', mode: 'live' })
  expect(hashApiKey(key)).toHaveLength(32)
})

test('a mistyped key is none', () => {
  expect(parseApiKey(key.replace('live', 'test'))).toBeUndefined()
  expect(parseApiKey(`${key}0`)).toBeUndefined()
  expect(parseApiKey(key.slice(0, -1))).toBeUndefined()
  expect(parseApiKey('')).toBeUndefined()
})
