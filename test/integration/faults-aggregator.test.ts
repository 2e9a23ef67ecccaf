import { test } from 'vitest'
import { aggregatorKilled } from '../faults/aggregator-killed.ts'
import { strikeOnce } from './strike-once.ts'

test('killed with -9 at a random moment, the aggregator loses and doubles nothing, and the sums are what was sent', () =>
  strikeOnce(aggregatorKilled))
