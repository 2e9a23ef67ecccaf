import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openFinishedStrikes } from './finished-strikes.ts'
import { readOrder } from './order.ts'
import { isSound, resultOf, sumCounts } from './report.ts'

const strike = (change: object = {}) => ({
  ...{ lost: 0, doubled: 0, centsOff: 0, recoveryMs: 1_000.4, counts: { acknowledged: 5 } },
  ...change,
})

test('a table adds what went wrong and shows the longest recovery', () => {
  const strikes = [strike(), strike({ lost: 2, recoveryMs: 20, counts: { acknowledged: 1, copies: 3 } })]
  const result = resultOf('x', strikes)
  expect(result).toEqual({
    name: 'x',
    iterations: 2,
    lost: 2,
    doubled: 0,
    centsOff: 0,
    recoveryMaxMs: 1_000,
  })
  expect(isSound(result)).toBe(false)
  expect(isSound(resultOf('x', [strike()]))).toBe(true)
  expect(isSound(strike({ centsOff: Number.NaN }))).toBe(false)
  expect(sumCounts(strikes)).toEqual({ acknowledged: 6, copies: 3 })
})

test('a line of the command line becomes an order, or is told what is wrong', () => {
  const read = (...args: string[]) => readOrder(args, ['fuzz'])
  expect(read()).toEqual({ name: undefined, iterations: undefined, seed: 1, again: false })
  expect(read('fuzz', '--iterations', '3', '--seed', '7', '--again')).toEqual({
    ...{ name: 'fuzz', iterations: 3, seed: 7, again: true },
  })
  expect(read('fuss')).toContain('"fuss"')
  expect(read('fuzz', '--iterations', 'many')).toContain('--iterations')
  expect(read('--seed', '0')).toContain('--seed')
  expect(read('--iteration')).toContain('--iteration')
})

test('finished strikes outlive the run, by seed; a line that was cut short does not count', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-strikes-'))
  const store = openFinishedStrikes(folder, 'x', 1)
  expect(await store.read()).toEqual(new Map())
  await store.add(1, strike())
  await store.add(2, strike({ lost: 1 }))
  await openFinishedStrikes(folder, 'x', 2).add(3, strike())
  expect([...(await store.read()).keys()]).toEqual([1, 2])
  await writeFile(join(folder, 'x.jsonl'), '{"seed":1,"num', { flag: 'a' })
  expect((await store.read()).get(2)).toEqual(strike({ lost: 1 }))
  await store.forget()
  expect(await store.read()).toEqual(new Map())
  await rm(folder, { recursive: true })
})
