import { identityKey, payloadHash } from '@tidemark/schemas/event-identity.ts'
import type { UsageEvent } from '@tidemark/schemas/usage-event.ts'
import { describe, expect, it } from 'vitest'
import type { Claim } from './claim.ts'
import { type DecodedRecord, decide, identityText, type LedgerClaim, ledgerQuestions } from './decide.ts'

const dayMicros = 86_400_000_000
const start = Date.UTC(2026, 0, 1) * 1000
const horizonMicros = 40 * dayMicros

type Given = { id: string; data?: string; atDay?: number; timeDay?: number; action?: UsageEvent['action'] }

function record(offset: number, given: Given): DecodedRecord {
  const { id, data = '{}', atDay = 0, timeDay = atDay, action = 'none' } = given
  const time = start + timeDay * dayMicros
  const payload = { type: 'request', subject: 's', timeMicros: time, data }
  const event: UsageEvent = {
    tenant: 'acme',
    tenantNumber: 1,
    source: 'test',
    id,
    type: payload.type,
    subject: payload.subject,
    time,
    acceptedAt: time,
    data,
    payloadHash: payloadHash(payload),
    action,
    revision: 0,
  }
  const reading = { kind: 'event' as const, event, identity: identityKey(1, 'test', id) }
  return { offset: BigInt(offset), appendTimeMicros: start + atDay * dayMicros, reading }
}

const malformed = (offset: number): DecodedRecord => ({
  offset: BigInt(offset),
  appendTimeMicros: start,
  reading: { kind: 'malformed', code: 'undecodable', reason: 'no such bytes' },
})

/** A partition with its state and its ledger, fed batch by batch. */
function createPartition() {
  const claims = new Map<string, Claim>()
  const accepted = new Map<string, LedgerClaim[]>()
  let logTimeMicros = 0
  return {
    claims,
    forget: () => claims.clear(),
    decide(batch: readonly DecodedRecord[]) {
      const held = batch.map(({ reading }) =>
        reading.kind === 'event' ? claims.get(identityText(reading.identity)) : undefined,
      )
      const knowledge = { log: 1, partition: 0, horizonMicros, logTimeMicros, claims: held }
      const asked = new Set(ledgerQuestions(batch, knowledge).map(identityText))
      const ledger = new Map([...accepted].filter(([key]) => asked.has(key)))
      const outcome = decide(batch, { ...knowledge, ledger })
      logTimeMicros = outcome.logTimeMicros
      for (const [key, { claim }] of outcome.claimed) {
        claims.set(key, claim)
        const { first, payloadHash: hash } = claim
        accepted.set(key, [...(accepted.get(key) ?? []), { first, payloadHash: hash }])
      }
      return outcome.decisions.map(({ verdict, first }) => [verdict, first?.offset])
    },
  }
}

const verdictsOf = (batch: readonly DecodedRecord[], size: number) => {
  const partition = createPartition()
  const verdicts: unknown[] = []
  for (let at = 0; at < batch.length; at += size)
    verdicts.push(...partition.decide(batch.slice(at, at + size)))
  return verdicts
}

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
      history: [record(0, { id: 'a', action: 'void' }), malformed(1), record(2, { id: 'a' })],
      verdicts: [
        ['rejected', undefined],
        ['rejected', undefined],
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
    let seed = 7
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor((seed / 2_147_483_648) * below)
    }
    const history = Array.from({ length: 400 }, (_, offset) =>
      record(offset, {
        id: `id-${random(60)}`,
        data: random(10) === 0 ? '{"other":1}' : '{}',
        atDay: Math.floor(offset / 4) + random(3),
        timeDay: random(2) === 0 ? 0 : Math.floor(offset / 8),
      }),
    )
    const expected = verdictsOf(history, history.length)
    for (const size of [1, 3, 17, 100]) expect(verdictsOf(history, size)).toEqual(expected)
  })
})
