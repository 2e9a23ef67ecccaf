import { expect, test } from 'vitest'
import { attemptStates, attemptStatesBefore, canMoveAttempt, isFinal, nextStep } from './attempt-states.ts'

const outcomes = ['processing', 'requires_action', 'succeeded', 'failed', 'canceled'] as const

test('an unknown attempt can still come to every known outcome', () => {
  for (const outcome of outcomes) expect(canMoveAttempt('unknown', outcome)).toBe(true)
})

test('nothing leaves a final state', () => {
  expect(attemptStates.filter(isFinal)).toEqual(['succeeded', 'failed', 'canceled'])
  for (const from of attemptStates.filter(isFinal))
    expect(attemptStates.filter((to) => canMoveAttempt(from, to))).toEqual([])
})

test('no attempt gets an outcome before it was sent, and none returns to where it would be sent again unasked', () => {
  for (const outcome of outcomes) expect(canMoveAttempt('intent', outcome)).toBe(outcome === 'canceled')
  expect(attemptStatesBefore('intent')).toEqual([])
  expect(attemptStatesBefore('confirming')).toEqual(['intent', 'created'])
  expect(attemptStates.filter((state) => nextStep[state] === 'send')).toEqual(['intent'])
})

test('success is reached from wherever money may move', () => {
  expect(attemptStatesBefore('succeeded')).toEqual(['confirming', 'unknown', 'processing', 'requires_action'])
})
