import { expect, test } from 'vitest'
import { type BatchOutcome, decideBatch } from './batch-outcome.ts'
import { decideInTurns } from './decide-in-turns.ts'
import { defaultRules } from './event-rules.ts'
import { eventFault } from './fault-codes.ts'
import { createEventEncoder } from './usage-record.ts'

const origin = { tenant: 'acme', tenantNumber: 1, acceptedAt: Date.UTC(2026, 10, 21) * 1_000 }
const events = Array.from({ length: 6 }, (_, at) => ({
  specversion: '1.0',
  id: `e-${at}`,
  source: '/s',
  type: at === 3 ? '' : 'call',
  subject: 'c',
  data: { n: at },
}))
const context = { rules: defaultRules, encode: createEventEncoder(1), allResults: true }
const odd = (_type: string, data: unknown) =>
  JSON.stringify(data) === '{"n":1}' ? eventFault('data_schema', 'data.n') : undefined

/** A message makes its parts only when they are asked for. */
const contents = (outcome: BatchOutcome) => ({
  ...outcome,
  messages: outcome.messages.map(({ partition, key, value, payloadHash }) => [
    partition,
    key,
    value,
    payloadHash,
  ]),
})

test('the outcome is that of one batch', async () => {
  const inTurns = await decideInTurns(events, origin, { ...context, checkData: odd })
  expect(contents(inTurns)).toEqual(contents(decideBatch(events, origin, { ...context, checkData: odd })))
  expect(inTurns.results.map((result) => [result.index, result.status])).toEqual([
    [0, 'accepted'],
    [1, 'rejected'],
    [2, 'accepted'],
    [3, 'rejected'],
    [4, 'accepted'],
    [5, 'accepted'],
  ])
})

test('others get their turn between events that take long to check', async () => {
  let turns = 0
  const seen: number[] = []
  const others = setInterval(() => turns++, 0)
  const slow = () => {
    seen.push(turns)
    for (const until = performance.now() + 15; performance.now() < until; );
    return undefined
  }
  await decideInTurns(events, origin, { ...context, checkData: slow })
  clearInterval(others)
  expect(seen.at(-1)).toBeGreaterThan(seen[0] ?? 0)
})

test('what is withdrawn is not checked', async () => {
  const withdrawn = { ...events[0], tidemarkaction: 'void', tidemarkrevision: 1, data: undefined }
  const refusing = () => eventFault('data_schema', 'data')
  const { results } = decideBatch([JSON.parse(JSON.stringify(withdrawn))], origin, {
    ...context,
    checkData: refusing,
  })
  expect(results).toMatchObject([{ status: 'accepted' }])
})
