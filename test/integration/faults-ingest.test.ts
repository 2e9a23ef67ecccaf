import { test } from 'vitest'
import { fuzz } from '../faults/fuzz.ts'
import { ingestKilled } from '../faults/ingest-killed.ts'
import { relayKilled } from '../faults/relay-killed.ts'
import { strikeOnce } from './strike-once.ts'

test('killed with -9 under load, ingest has acknowledged nothing that is not in the log, and doubles nothing', () =>
  strikeOnce(ingestKilled))

test('killed with -9 while it relays, ingest passes over nothing', () => strikeOnce(relayKilled))

test('2,000 random bodies and headers: no 5xx, and what was accepted is in the log', () => strikeOnce(fuzz))
