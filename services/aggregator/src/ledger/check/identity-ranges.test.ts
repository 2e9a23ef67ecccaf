import { expect, test } from 'vitest'
import { identityRanges } from './identity-ranges.ts'

const zeros = '0'.repeat(40)
const begin = (digits: string) => digits.padEnd(40, '0')

test('small tenants share a range; every identity is in exactly one', () => {
  const ranges = identityRanges(
    [
      { tenant: '00000001', rows: 40 },
      { tenant: '00000002', rows: 50 },
      { tenant: '00000007', rows: 60 },
    ],
    100,
  )
  expect(ranges).toEqual([
    { from: zeros, to: begin('00000007') },
    { from: begin('00000007'), to: undefined },
  ])
})

test('a large tenant is divided by its hash', () => {
  const ranges = identityRanges([{ tenant: '0000000A', rows: 1_500 }], 100)
  expect(ranges).toHaveLength(16)
  expect(ranges[0]).toEqual({ from: zeros, to: begin('0000000A1') })
  expect(ranges[15]).toEqual({ from: begin('0000000AF'), to: undefined })
  for (const [index, { to }] of ranges.entries()) expect(to).toBe(ranges[index + 1]?.from)
})

test('without rows there is one range', () => {
  expect(identityRanges([], 100)).toEqual([{ from: zeros, to: undefined }])
})
