import { setTimeout as pause } from 'node:timers/promises'
import { finish } from '../../demonstration/print.ts'
import { waitUntilReady } from '../../service-processes.ts'
import type { BenchStack } from '../bench-stack.ts'
import { figureOf, type Measured } from '../figure.ts'
import { openIngestRoom } from '../ingest/ingest-room.ts'

export type FreshnessOptions = {
  /** Events per second beside the markers. */
  background: number
  p99LimitMs: number
}

const markers = 1_000
const markersPerSecond = 50
const markerType = 'marker'
const seenWithinMs = 60_000

/**
 * Time from an event's acknowledgement to the usage query that counts it. Markers are counted, not told apart: the query
 * shows how many of them are in, and the n-th that was acknowledged counts as seen when there are n.
 */
export async function measureFreshness(
  bench: BenchStack,
  { background, p99LimitMs }: FreshnessOptions,
): Promise<Measured> {
  const name = `freshness_${background}`
  const room = await openIngestRoom(bench, name.replace('_', ''), { withAggregator: true })
  const aggregator = room.aggregator
  if (aggregator === undefined) throw new Error('freshness needs an aggregator')
  await waitUntilReady(aggregator)
  const headers = { authorization: `Bearer ${room.key}`, 'content-type': 'application/json' }
  const meter = { key: 'markers', eventType: markerType, aggregation: 'count' }
  await expectOk(
    await fetch(`${aggregator.url}/v1/meters`, { method: 'POST', headers, body: JSON.stringify(meter) }),
  )

  const eventsPerRequest = background >= 2_000 ? 100 : 1
  const durationMs = (markers / markersPerSecond) * 1_000 + 4_000
  const load = room.load({
    run: 'background',
    rate: background / eventsPerRequest,
    eventsPerRequest,
    connections: 32,
    warmUpMs: 0,
    durationMs,
  })
  await pause(2_000)
  const acknowledgedAt: number[] = []
  const sending = sendMarkers(room.url, headers, acknowledgedAt)
  const latenciesMicros: number[] = []
  const deadline = performance.now() + durationMs + seenWithinMs
  while (latenciesMicros.length < markers) {
    if (performance.now() > deadline)
      throw new Error(`${latenciesMicros.length} of ${markers} markers were seen`)
    const count = await countMarkers(aggregator.url, headers)
    const now = performance.now()
    while (latenciesMicros.length < count)
      latenciesMicros.push(
        Math.max(0, Math.round((now - (acknowledgedAt[latenciesMicros.length] ?? now)) * 1_000)),
      )
    await pause(10)
  }
  await Promise.all([sending, load])
  const sorted = [...latenciesMicros].sort((a, b) => a - b)
  const p99 = (sorted[Math.floor(sorted.length * 0.99)] ?? 0) / 1_000
  finish('✔', `${name}: p99 ${Math.round(p99)} ms`)
  return {
    figures: [figureOf(name, 'ms p99', [p99], { limit: p99LimitMs, latenciesMicros })],
    lost: await room.close(),
  }
}

async function sendMarkers(
  url: string,
  headers: Record<string, string>,
  acknowledgedAt: number[],
): Promise<void> {
  const startedAt = performance.now()
  const sends: Promise<void>[] = []
  for (let serial = 0; serial < markers; serial += 1) {
    const dueAt = startedAt + (serial * 1_000) / markersPerSecond
    await pause(Math.max(0, dueAt - performance.now()))
    const event = {
      specversion: '1.0',
      id: `m-${serial}`,
      source: 'bench/markers',
      type: markerType,
      subject: 'marker',
    }
    const send = async (): Promise<void> => {
      await expectOk(
        await fetch(`${url}/v1/events`, { method: 'POST', headers, body: JSON.stringify(event) }),
      )
      acknowledgedAt.push(performance.now())
    }
    sends.push(send())
  }
  await Promise.all(sends)
}

async function countMarkers(url: string, headers: Record<string, string>): Promise<number> {
  const now = Date.now()
  const [from, to] = [now - 86_400_000, now + 3_600_000].map((at) => new Date(at).toISOString())
  const answer = await expectOk(
    await fetch(`${url}/v1/meters/markers/usage?from=${from}&to=${to}`, { headers }),
  )
  const { items } = JSON.parse(answer)
  return Number(items[0]?.value ?? 0)
}

async function expectOk(response: Response): Promise<string> {
  const text = await response.text()
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${text.slice(0, 500)}`)
  return text
}
