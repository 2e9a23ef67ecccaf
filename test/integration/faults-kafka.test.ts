import { test } from 'vitest'
import { kafkaPaused, kafkaRestarted } from '../faults/kafka-outages.ts'
import { strikeOnce } from './strike-once.ts'

test('Kafka killed and stopped under load: no 202 that is not in the log, and nothing else but 503', () =>
  strikeOnce(kafkaRestarted))

test('Kafka that hangs under load: no 202 that is not in the log, and nothing else but 503', () =>
  strikeOnce(kafkaPaused))
