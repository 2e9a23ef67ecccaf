import { test } from 'vitest'
import { ingestKilled } from '../faults/ingest-killed.ts'
import { relayKilled } from '../faults/relay-killed.ts'
import { strikeOnce } from './strike-once.ts'

test('killed with -9 under load, ingest has acknowledged nothing that is not in the log, and doubles nothing', () =>
  strikeOnce(ingestKilled))

test('killed with -9 while it relays, ingest passes over nothing', () => strikeOnce(relayKilled))
