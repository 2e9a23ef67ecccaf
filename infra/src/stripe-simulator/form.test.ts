import { describe, expect, test } from 'vitest'
import { decodeForm } from './form.ts'

const plain = (text: string) => JSON.parse(JSON.stringify(decodeForm(text)))

describe('decodeForm', () => {
  test('nests brackets, as the official client sends them', () => {
    const text = 'amount=1099&metadata[order]=7&metadata[note]=a%26b+c&created[gte]=5'
    expect(plain(text)).toEqual({
      amount: '1099',
      metadata: { order: '7', note: 'a&b c' },
      created: { gte: '5' },
    })
  })

  test('numbers the items of a list, with and without an index', () => {
    expect(plain('a[]=x&a[]=y&b[0]=z')).toEqual({ a: { 0: 'x', 1: 'y' }, b: { 0: 'z' } })
  })

  test('keeps names of the prototype as plain parameters', () => {
    const tree = decodeForm('__proto__[polluted]=yes&constructor=1')
    expect(Object.keys(tree)).toEqual(['__proto__', 'constructor'])
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  test.each([
    ['a[b=1', /brackets must be balanced/],
    ['[a]=1', /brackets must be balanced/],
    ['a=1&a[b]=2', /both a value and a hash/],
    ['a[b][c][d][e][f]=1', /nested too deeply/],
  ])('refuses %s by name', (text, message) => {
    expect(() => decodeForm(text)).toThrow(message)
  })

  test('reads an empty body as no parameters', () => {
    expect(plain('')).toEqual({})
  })
})
