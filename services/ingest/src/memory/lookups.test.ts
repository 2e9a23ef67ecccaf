import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createLookups } from './lookups.ts'

const key = (name: string): Buffer => Buffer.alloc(20, name)
const hash = (name: string): Buffer => Buffer.alloc(16, name)

/** Lookups whose answers the test gives. */
function openLookups(timeoutMs: number) {
  const asked: { identities: Buffer; give(hashes: Buffer): void; fail(): void }[] = []
  const [late, failed]: [string[], string[]] = [[], []]
  const lookups = createLookups({
    timeoutMs,
    ask: (identities) =>
      new Promise((give, reject) => {
        asked.push({ identities, give, fail: () => reject(new Error('gone')) })
      }),
    onLate: () => late.push('late'),
    onFailed: () => failed.push('failed'),
  })
  return { lookups, asked, late, failed }
}

test('questions of one moment are asked together, and each gets its own part of the answer', async () => {
  const { lookups, asked } = openLookups(10_000)
  const [first, second] = [lookups.lookUp([key('a'), key('b')]), lookups.lookUp([key('c')])]
  await turn()
  expect(asked.map(({ identities }) => identities)).toEqual([Buffer.concat([key('a'), key('b'), key('c')])])
  asked[0]?.give(Buffer.concat([hash('1'), hash('2'), hash('3')]))
  expect(await first).toEqual(Buffer.concat([hash('1'), hash('2')]))
  expect(await second).toEqual(hash('3'))
})

test('many identities are asked for in several questions', async () => {
  const { lookups, asked } = openLookups(10_000)
  const keys = Array.from({ length: 700 }, () => key('a'))
  void lookups.lookUp(keys)
  void lookups.lookUp(keys)
  await turn()
  expect(asked.map(({ identities }) => identities.length / 20)).toEqual([700, 700])
})

test('a late answer leaves its questions unknown, and nothing is asked before it has come', async () => {
  const { lookups, asked, late } = openLookups(1)
  expect(await lookups.lookUp([key('a')])).toBeUndefined()
  expect(late).toEqual(['late'])
  expect(await lookups.lookUp([key('a')])).toBeUndefined()
  expect(asked).toHaveLength(1)
  asked[0]?.give(Buffer.alloc(0))
  await turn()
  void lookups.lookUp([key('a')])
  await turn()
  expect(asked).toHaveLength(2)
})

test('an answer that lies there already is taken, however busy the process was meanwhile', async () => {
  const { lookups, asked } = openLookups(1)
  const answer = lookups.lookUp([key('a')])
  await turn()
  const until = performance.now() + 20
  while (performance.now() < until);
  asked[0]?.give(hash('1'))
  expect(await answer).toEqual(hash('1'))
})

test('a broken connection is an unknown, not an error', async () => {
  const { lookups, asked, failed } = openLookups(10_000)
  const answer = lookups.lookUp([key('a')])
  await turn()
  asked[0]?.fail()
  expect(await answer).toBeUndefined()
  expect(failed).toEqual(['failed'])
})
