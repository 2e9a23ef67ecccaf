import { expect, test } from 'vitest'
import { createRandom } from '../demonstration/random.ts'
import { usageEvent } from '../usage-producer.ts'
import { compareWithLog, type LoggedEvent } from './logged-events.ts'
import { createSentEvents, type SentEvent } from './sent-events.ts'

const { make } = createSentEvents(createRandom(1))

const acknowledged = (): SentEvent => {
  const [event] = make(1)
  if (event === undefined) throw new Error('nothing was made')
  event.isAcknowledged = true
  return event
}

const logged = ({ id, quantity }: SentEvent, change: Partial<LoggedEvent> = {}): LoggedEvent => ({
  ...usageEvent({ id, data: `{"quantity":${quantity},"region":"eu-west"}` }),
  partition: 3,
  ...change,
})

const compare = (event: SentEvent, copies: readonly LoggedEvent[], rules = {}) =>
  compareWithLog([event], new Map([[event.id, copies]]), rules)

test('what was acknowledged must be there, what was not may be', () => {
  const event = acknowledged()
  expect(compareWithLog([event], new Map())).toEqual({ lost: 1, doubled: 0, centsOff: 0, copies: 0 })
  expect(compare(event, [logged(event)])).toEqual({ lost: 0, doubled: 0, centsOff: 0, copies: 0 })
  event.isAcknowledged = false
  expect(compareWithLog([event], new Map())).toMatchObject({ lost: 0 })
})

test('a copy is doubled where the reader of the log would not know it for one', () => {
  const event = acknowledged()
  const copyWith = (change: Partial<LoggedEvent>, rules = {}) =>
    compare(event, [logged(event), logged(event, change)], rules)
  expect(copyWith({})).toMatchObject({ doubled: 0, copies: 1 })
  expect(copyWith({ partition: 4 })).toMatchObject({ doubled: 1 })
  expect(copyWith({ payloadHash: Buffer.alloc(16) })).toMatchObject({ doubled: 1 })
  expect(copyWith({ time: 1 })).toMatchObject({ doubled: 0 })
  expect(copyWith({ time: 1 }, { sameTime: true })).toMatchObject({ doubled: 1 })
})

test('a copy without a reason is doubled where every send was answered', () => {
  const event = acknowledged()
  const copies = [logged(event), logged(event)]
  expect(compare(event, copies, { uncertainOnly: true })).toMatchObject({ doubled: 1 })
  event.isUncertain = true
  expect(compare(event, copies, { uncertainOnly: true })).toMatchObject({ doubled: 0 })
})

test('another quantity costs cents, other data can never be right', () => {
  const event = acknowledged()
  const data = (text: string) => compare(event, [logged(event, { data: text })]).centsOff
  expect(data(`{"quantity":${event.quantity + 7},"region":"eu-west"}`)).toBe(7)
  expect(data('{}')).toBeNaN()
})
