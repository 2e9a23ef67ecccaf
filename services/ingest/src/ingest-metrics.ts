import type { Metrics } from '@tidemark/infra/process/metrics.ts'
import { Counter, Gauge, Histogram } from 'prom-client'

/** Where events come in. */
const doors = ['http', 'kafka'] as const
export type Door = (typeof doors)[number]

export type IngestMetrics = {
  accepted(door: Door, events: number): void
  rejected(door: Door, code: string): void
  received(door: Door, bytes: number): void
  /** Requests that wait for Kafka: called at the begin, gives back what is called at the end. */
  publishing(door: Door): () => void
  relayLag(records: number): void
  /** Inbound partitions that the relay does not go on with, and why. */
  relayStopped(partitions: readonly StoppedPartition[]): void
  /** 1 while the relay does not get on although records wait. */
  relayStalled(isStalled: boolean): void
}

export type StoppedPartition = { readonly topic: string; readonly partition: number; readonly code: string }

export function createIngestMetrics(
  metrics: Metrics,
  queuedBytes: () => number,
  bodyBytes: () => number,
): IngestMetrics {
  const registers = [metrics]
  const accepted = new Counter({
    name: 'tidemark_ingest_events_accepted_total',
    help: 'Events acknowledged by every in-sync replica',
    labelNames: ['door'],
    registers,
  })
  const rejected = new Counter({
    name: 'tidemark_ingest_events_rejected_total',
    help: 'Events refused, by the reason that was told',
    labelNames: ['door', 'code'],
    registers,
  })
  const bytes = new Counter({
    name: 'tidemark_ingest_bytes_total',
    help: 'Bytes of bodies and records taken in',
    labelNames: ['door'],
    registers,
  })
  const latency = new Histogram({
    name: 'tidemark_ingest_publish_seconds',
    help: 'Time until Kafka had acknowledged, or refused, all events of a request or of a slice of records',
    labelNames: ['door'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })
  const waiting: Record<Door, number> = { http: 0, kafka: 0 }
  new Gauge({
    name: 'tidemark_ingest_publishes_in_flight',
    help: 'Requests and slices that wait for Kafka',
    labelNames: ['door'],
    registers,
    collect() {
      for (const door of doors) this.set({ door }, waiting[door])
    },
  })
  new Gauge({
    name: 'tidemark_ingest_queued_bytes',
    help: 'Bytes that wait for Kafka or are under way to it, of requests',
    registers,
    collect() {
      this.set(queuedBytes())
    },
  })
  new Gauge({
    name: 'tidemark_ingest_body_bytes',
    help: 'What the bodies of all requests under way hold in memory',
    registers,
    collect() {
      this.set(bodyBytes())
    },
  })
  const lag = new Gauge({
    name: 'tidemark_ingest_relay_lag_records',
    help: 'Records on all inbound topics that are not relayed yet',
    registers,
  })
  const stopped = new Gauge({
    name: 'tidemark_ingest_relay_stopped',
    help: '1 for each inbound partition that the relay does not go on with; what it holds is not billed',
    labelNames: ['topic', 'partition', 'code'],
    registers,
  })
  const stalled = new Gauge({
    name: 'tidemark_ingest_relay_stalled',
    help: '1 while records wait on inbound topics and none is relayed',
    registers,
  })
  return {
    accepted: (door, events) => accepted.inc({ door }, events),
    rejected: (door, code) => rejected.inc({ door, code }),
    received: (door, count) => bytes.inc({ door }, count),
    publishing(door) {
      const startedAt = performance.now()
      waiting[door] += 1
      return () => {
        waiting[door] -= 1
        latency.observe({ door }, (performance.now() - startedAt) / 1000)
      }
    },
    relayLag: (records) => lag.set(records),
    relayStopped(partitions) {
      stopped.reset()
      for (const { topic, partition, code } of partitions) stopped.set({ topic, partition, code }, 1)
    },
    relayStalled: (isStalled) => stalled.set(isStalled ? 1 : 0),
  }
}
