import { expect, test } from 'vitest'
import { createBatchGate } from './batch-gate.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('small batches run together, large ones wait for room, in the order of asking', async () => {
  const gate = createBatchGate(10)
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const batch = (name: string, rows: number) =>
    gate.run(rows, () => {
      begun.push(name)
      return new Promise<void>((resolve) => ends.set(name, resolve))
    })
  const all = [batch('a', 4), batch('b', 6), batch('c', 20), batch('d', 1)]
  await turn()
  expect(begun).toEqual(['a', 'b'])
  ends.get('a')?.()
  await turn()
  expect(begun).toEqual(['a', 'b'])
  ends.get('b')?.()
  await turn()
  expect(begun).toEqual(['a', 'b', 'c'])
  ends.get('c')?.()
  await turn()
  expect(begun).toEqual(['a', 'b', 'c', 'd'])
  ends.get('d')?.()
  await Promise.all(all)
})

test('a batch that fails makes room as well', async () => {
  const gate = createBatchGate(1)
  await expect(gate.run(1, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await gate.run(1, async () => 'next')).toBe('next')
})
