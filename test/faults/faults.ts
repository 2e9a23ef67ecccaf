import { aggregatorKilled } from './aggregator-killed.ts'
import type { Fault } from './fault.ts'
import { fuzz } from './fuzz.ts'
import { ingestKilled } from './ingest-killed.ts'
import { kafkaPaused, kafkaRestarted } from './kafka-outages.ts'
import { relayKilled } from './relay-killed.ts'

/** What `npm run faults` knows, in the order in which it is run. */
export const faults: Readonly<Record<string, Fault>> = {
  'ingest-killed': ingestKilled,
  'kafka-restarted': kafkaRestarted,
  'kafka-paused': kafkaPaused,
  'relay-killed': relayKilled,
  'aggregator-killed': aggregatorKilled,
  fuzz,
}
