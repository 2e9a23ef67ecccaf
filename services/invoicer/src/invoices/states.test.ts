import { expect, test } from 'vitest'
import { invoiceStates, statesBefore } from './states.ts'

test('every legal transition, and no other', () => {
  expect(Object.fromEntries(invoiceStates.map((state) => [state, statesBefore(state)]))).toEqual({
    draft: [],
    open: ['draft'],
    paid: ['open', 'past_due', 'uncollectible'],
    past_due: ['open'],
    void: ['open', 'past_due'],
    uncollectible: ['open', 'past_due'],
  })
})
