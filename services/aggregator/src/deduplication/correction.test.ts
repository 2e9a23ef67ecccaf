import { expect, it } from 'vitest'
import { createPartition, createRandom, type Given, record, verdictsOf } from './trial-partition.ts'

it.each([
  {
    name: 'each correction supersedes the one before it, where that counted',
    history: [
      record(0, { id: 'a' }),
      record(1, { id: 'a', action: 'correct', revision: 1, data: '{"n":2}', type: 'other', timeDay: 3 }),
      record(2, { id: 'a', action: 'correct', revision: 3, timeDay: 4 }),
      record(3, { id: 'a', action: 'void', revision: 4 }),
      record(4, { id: 'a', action: 'correct', revision: 5, timeDay: 9 }),
    ],
    verdicts: [
      ['accepted', 0n],
      ['correction', 0n, 0n, 'request on day 0'],
      ['correction', 0n, 1n, 'other on day 3'],
      ['correction', 0n, 2n, 'request on day 4'],
      // A void counts nowhere: what follows it is told the cell that it emptied.
      ['correction', 0n, 3n, 'request on day 4'],
    ],
  },
  {
    name: 'a correction again is a duplicate, another one of its revision a conflict, a lower one stale',
    history: [
      record(0, { id: 'a' }),
      record(1, { id: 'a', action: 'correct', revision: 2, data: '{"n":2}' }),
      record(2, { id: 'a', action: 'correct', revision: 2, data: '{"n":2}' }),
      record(3, { id: 'a', action: 'void', revision: 2 }),
      record(4, { id: 'a', action: 'correct', revision: 1, data: '{"n":2}' }),
      record(5, { id: 'a' }),
      record(6, { id: 'a', data: '{"n":2}' }),
    ],
    verdicts: [
      ['accepted', 0n],
      ['correction', 0n, 0n, 'request on day 0'],
      ['duplicate', 1n],
      ['conflict', 1n],
      ['rejected', 'stale_revision'],
      ['duplicate', 0n],
      ['conflict', 0n],
    ],
  },
  {
    name: 'back to what it said first is a correction like any other',
    history: [
      record(0, { id: 'a' }),
      record(1, { id: 'a', action: 'correct', revision: 1, data: '{"n":2}' }),
      record(2, { id: 'a', action: 'correct', revision: 2 }),
      record(3, { id: 'a', action: 'correct', revision: 3, data: '{"n":2}' }),
    ],
    verdicts: [
      ['accepted', 0n],
      ['correction', 0n, 0n, 'request on day 0'],
      ['correction', 0n, 1n, 'request on day 0'],
      ['correction', 0n, 2n, 'request on day 0'],
    ],
  },
  {
    name: 'an original that has expired from the state is corrected; one that never came is not',
    history: [
      record(0, { id: 'a' }),
      record(1, { id: 'a', action: 'correct', revision: 1, atDay: 200, timeDay: 0, data: '{"n":2}' }),
      record(2, { id: 'b', action: 'void', revision: 1, atDay: 200 }),
      record(3, { id: 'a', action: 'void', revision: 2, atDay: 300 }),
    ],
    verdicts: [
      ['accepted', 0n],
      ['correction', 0n, 0n, 'request on day 0'],
      ['rejected', 'unknown_original'],
      ['correction', 0n, 1n, 'request on day 0'],
    ],
  },
  {
    name: 'of an identity that was accepted again after the horizon the last event is corrected, by its own revisions',
    history: [
      record(0, { id: 'a' }),
      record(1, { id: 'a', action: 'void', revision: 7 }),
      record(2, { id: 'a', atDay: 100 }),
      record(3, { id: 'a', action: 'void', revision: 1, atDay: 100 }),
    ],
    verdicts: [
      ['accepted', 0n],
      ['correction', 0n, 0n, 'request on day 0'],
      ['accepted', 2n],
      ['correction', 2n, 2n, 'request on day 100'],
    ],
  },
])('$name', ({ history, verdicts }) => {
  for (const size of [1, 2, history.length]) expect(verdictsOf(history, size)).toEqual(verdicts)
})

it('needs no state: one that was lost decides corrections alike', () => {
  const partition = createPartition()
  partition.decide([record(0, { id: 'a' }), record(1, { id: 'a', action: 'correct', revision: 2 })])
  partition.forget()
  expect(
    partition.decide([
      record(2, { id: 'a', action: 'correct', revision: 1 }),
      record(3, { id: 'a', action: 'void', revision: 3 }),
    ]),
  ).toEqual([
    ['rejected', 'stale_revision'],
    ['correction', 0n, 1n, 'request on day 0'],
  ])
})

/** What must become of one identity, told without batches, states or ledgers. */
function createModel() {
  let original: { at: number; payload: string } | undefined
  let last: { at: number; revision: number; payload: string } | undefined
  return (at: number, { data, action = 'none', revision = 0 }: Given): unknown => {
    const payload = action === 'void' ? 'void' : `${data}`
    if (action === 'none') {
      if (original === undefined) {
        original = { at, payload }
        last = { at, revision: 0, payload }
        return ['accepted', BigInt(at)]
      }
      return [payload === original.payload ? 'duplicate' : 'conflict', BigInt(original.at)]
    }
    if (original === undefined || last === undefined) return ['rejected', 'unknown_original']
    if (revision === last.revision)
      return [payload === last.payload ? 'duplicate' : 'conflict', BigInt(last.at)]
    if (revision < last.revision) return ['rejected', 'stale_revision']
    const superseded = last.at
    last = { at, revision, payload }
    return ['correction', BigInt(original.at), BigInt(superseded), 'request on day 0']
  }
}
it('random histories of events and corrections are decided as a simple model says, whatever the batches are', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = createRandom(seed)
    const given = Array.from({ length: 120 }, (): Given => {
      const id = `id-${random(8)}`
      const data = `{"n":${random(3)}}`
      const kind = random(3)
      if (kind === 0) return { id, data }
      return { id, data, action: kind === 1 ? 'correct' : 'void', revision: 1 + random(9) }
    })
    const models = new Map<string, ReturnType<typeof createModel>>()
    const expected = given.map((each, at) => {
      const model = models.get(each.id) ?? createModel()
      models.set(each.id, model)
      return model(at, each)
    })
    const history = given.map((each, at) => record(at, each))
    for (const size of [1, 7, 120]) expect(verdictsOf(history, size)).toEqual(expected)
  }
})
