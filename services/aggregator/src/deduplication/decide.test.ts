import { identityKey } from '@tidemark/schemas/event-identity.ts'
import { describe, expect, it } from 'vitest'
import { decide, identityText, type LedgerClaim, ledgerQuestions } from './decide.ts'
import {
  createPartition,
  createRandom,
  horizonMicros,
  malformed,
  record,
  start,
  verdictsOf,
} from './trial-partition.ts'

describe('decide', () => {
  it.each([
    {
      name: 'the lowest offset wins, within a batch and across batches',
      history: [
        record(0, { id: 'a' }),
        record(1, { id: 'a' }),
        record(2, { id: 'b' }),
        record(3, { id: 'a' }),
      ],
      verdicts: [
        ['accepted', 0n],
        ['duplicate', 0n],
        ['accepted', 2n],
        ['duplicate', 0n],
      ],
    },
    {
      name: 'another payload under the same identity is a conflict',
      history: [record(0, { id: 'a' }), record(1, { id: 'a', data: '{"n":2}' }), record(2, { id: 'a' })],
      verdicts: [
        ['accepted', 0n],
        ['conflict', 0n],
        ['duplicate', 0n],
      ],
    },
    {
      name: 'what is rejected claims no identity',
      history: [record(0, { id: 'a', action: 'void', revision: 1 }), malformed(1), record(2, { id: 'a' })],
      verdicts: [
        ['rejected', 'unknown_original'],
        ['rejected', 'undecodable'],
        ['accepted', 2n],
      ],
    },
    {
      name: 'an identity is kept a day longer than the horizon',
      history: [record(0, { id: 'a' }), record(1, { id: 'a', atDay: 41, timeDay: 0 })],
      verdicts: [
        ['accepted', 0n],
        ['duplicate', 0n],
      ],
    },
    {
      name: 'after the horizon the ledger still knows a backfill that is repeated',
      history: [record(0, { id: 'a' }), record(1, { id: 'a', atDay: 100, timeDay: 0 })],
      verdicts: [
        ['accepted', 0n],
        ['duplicate', 0n],
      ],
    },
    {
      name: 'after the horizon the same id with another time is a new event',
      history: [
        record(0, { id: 'a' }),
        record(1, { id: 'a', atDay: 100 }),
        record(2, { id: 'a', atDay: 100 }),
      ],
      verdicts: [
        ['accepted', 0n],
        ['accepted', 1n],
        ['duplicate', 1n],
      ],
    },
    {
      name: 'log time never goes back, so a late append time expires nothing later',
      history: [
        record(0, { id: 'a' }),
        record(1, { id: 'b', atDay: 50 }),
        record(2, { id: 'a', atDay: 0, timeDay: 20 }),
      ],
      verdicts: [
        ['accepted', 0n],
        ['accepted', 1n],
        // Its own time is not older than the horizon, so the ledger is not asked; the payload differs by its time.
        ['accepted', 2n],
      ],
    },
  ])('$name', ({ history, verdicts }) => {
    for (const size of [1, 2, history.length]) expect(verdictsOf(history, size)).toEqual(verdicts)
  })

  it('decides a range again as it did, although the state already stands for it and for more', () => {
    const partition = createPartition()
    const range = [record(0, { id: 'a' }), record(1, { id: 'b' }), record(2, { id: 'a' })]
    const first = partition.decide(range)
    partition.decide([record(3, { id: 'c' })])
    expect(partition.decide(range)).toEqual(first)
  })

  it('asks the ledger only for what is older than the horizon and unknown', () => {
    const batch = [
      record(5, { id: 'new', atDay: 100 }),
      record(6, { id: 'old', atDay: 100, timeDay: 10 }),
      malformed(7),
    ]
    const knowledge = { log: 1, partition: 0, horizonMicros, logTimeMicros: start, claims: [] }
    expect(ledgerQuestions(batch, knowledge)).toEqual([identityKey(1, 'test', 'old')])
  })

  it('believes the ledger only below the record, or in an earlier log', () => {
    const again = record(5, { id: 'old', atDay: 100, timeDay: 10 })
    const hash = again.reading.kind === 'event' ? again.reading.event.payloadHash : Buffer.alloc(0)
    const knowledge = { log: 2, partition: 3, horizonMicros, logTimeMicros: start, claims: [] }
    const decideWith = (first: LedgerClaim['first']) =>
      decide([again], {
        ...knowledge,
        histories: new Map(),
        ledger: new Map([[identityText(identityKey(1, 'test', 'old')), [{ first, payloadHash: hash }]]]),
      }).decisions[0]?.verdict
    expect(decideWith({ log: 2, partition: 3, offset: 5n })).toBe('accepted')
    expect(decideWith({ log: 2, partition: 3, offset: 9n })).toBe('accepted')
    expect(decideWith({ log: 2, partition: 3, offset: 4n })).toBe('duplicate')
    expect(decideWith({ log: 1, partition: 7, offset: 99n })).toBe('duplicate')
  })
})

describe('random histories', () => {
  it('are decided alike whatever the batches are, and after the state was lost', () => {
    const random = createRandom()
    const history = Array.from({ length: 400 }, (_, offset) =>
      record(offset, {
        id: `id-${random(60)}`,
        data: random(10) === 0 ? '{"other":1}' : '{}',
        atDay: Math.floor(offset / 4) + random(3),
        timeDay: random(2) === 0 ? 0 : Math.floor(offset / 8),
        ...(random(4) === 0
          ? { action: random(2) === 0 ? ('void' as const) : ('correct' as const), revision: 1 + random(6) }
          : {}),
      }),
    )
    const expected = verdictsOf(history, history.length)
    for (const size of [1, 3, 17, 100]) expect(verdictsOf(history, size)).toEqual(expected)
  })
})
