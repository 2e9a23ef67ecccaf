import { readFileSync } from 'node:fs'
import type { UsageAnswer } from '@tidemark/aggregator/usage/usage-answer.ts'
import { decimal, formatDecimal, round } from '@tidemark/schemas/decimal.ts'
import { formatInstant, hourOf } from '@tidemark/schemas/instant.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'
import type { UsageEvent } from '@tidemark/schemas/usage-event.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { TestTenant } from '../installation.ts'
import type { ServiceProcess } from '../service-processes.ts'
import { usageEvent } from '../usage-producer.ts'
import { type AggregatorRoom, openAggregatorRoom, patience } from './aggregator-room.ts'
import { at } from './usage-log.ts'

type Vector = {
  id: string
  kind: string
  aggregation: {
    type: 'sum' | 'weighted-sum' | 'prorated-sum' | 'count-distinct'
    initialValue?: string
    groupBy?: string
    rounding?: { mode: 'round' | 'ceil' | 'floor'; precision: string }
  }
  period: { start: string; end: string }
  events?: {
    id?: string
    time: string
    value: string
    properties?: Record<string, string>
    repeat?: string
  }[]
  generate?: { property: string; pattern: string; from: string; to: string }
  expected: { quantity?: string; groups?: Record<string, string>; decimals?: string }
}

const file = new URL('../../services/invoicer/golden/pricing-vectors.json', import.meta.url)
const { vectors }: { vectors: Vector[] } = JSON.parse(readFileSync(file, 'utf8'))
const chosen = vectors.filter(({ kind }) => kind === 'aggregation').map(recent)

/**
 * A vector of a million values is moved to yesterday: its time decides nothing, and events from before the horizon are
 * each looked up in the ledger, which is another test's matter.
 */
function recent(vector: Vector): Vector {
  if (vector.generate === undefined) return vector
  const today = hourOf(Date.now() * 1000)
  return { ...vector, period: { start: formatInstant(today - 86_400_000_000), end: formatInstant(today) } }
}

let room: AggregatorRoom
let acme: TestTenant
let service: ServiceProcess

// Every vector has its own type of event and its own meter; all go through the log, the aggregator and ClickHouse at once.
beforeAll(async () => {
  room = await openAggregatorRoom('golden')
  acme = await room.installation.createTenant('acme')
  service = await room.start({
    AGGREGATOR_SEALING_INTERVAL_MS: '100',
    AGGREGATOR_SEALING_QUIET_MS: '0',
    // A million events come in few large batches, as they would in production.
    AGGREGATOR_FETCH_MIN_BYTES: '1048576',
    AGGREGATOR_FETCH_MAX_WAIT_MS: '250',
  })
  for (const vector of chosen) expect((await call('POST', '/v1/meters', meterOf(vector))).status).toBe(201)
  for (const vector of chosen) await publish(vector)
  await room.drained()
  // From here on some hours are sealed and others are not; the answers are the same.
  await vi.waitFor(async () => {
    const rows = await room.clickHouse.query('SELECT 1 FROM usage_seals LIMIT 1')
    expect(rows).toHaveLength(1)
  }, patience)
}, 120_000)
afterAll(() => room?.close())

const meterKey = ({ id }: Vector): string => `golden-${id.toLowerCase().replace('.', '-')}`

const aggregations = {
  sum: { aggregation: 'sum' },
  'weighted-sum': { aggregation: 'time-weighted-sum', values: 'changes' },
  'prorated-sum': { aggregation: 'prorated-sum' },
  'count-distinct': { aggregation: 'unique-count' },
} as const

function meterOf(vector: Vector): Meter {
  const { type, initialValue, groupBy, rounding } = vector.aggregation
  return {
    key: meterKey(vector),
    eventType: vector.id,
    valuePath: vector.generate?.property ?? 'value',
    ...aggregations[type],
    ...(initialValue === undefined ? {} : { initialValue }),
    ...(groupBy === undefined ? {} : { dimensions: { [groupBy]: groupBy } }),
    ...(rounding === undefined
      ? {}
      : { rounding: { mode: rounding.mode, precision: Number(rounding.precision) } }),
  }
}

/** The vector's events; a generated value of each is one event. */
function* eventsOf({ id: vector, period, events = [], generate }: Vector): Generator<UsageEvent> {
  const event = (id: string, time: string, data: object) =>
    usageEvent({
      id: `${vector}-${id}`,
      type: vector,
      tenant: acme.tenant,
      tenantNumber: acme.tenantNumber,
      time: at(time),
      data: JSON.stringify(data),
    })
  for (const [index, { id, time, value, properties, repeat = '1' }] of events.entries())
    for (let copy = 0; copy < Number(repeat); copy += 1)
      yield event(id ?? `${index}-${copy}`, time, { value, ...properties })
  if (generate === undefined) return
  for (let n = Number(generate.from); n <= Number(generate.to); n += 1)
    yield event(`${n}`, period.start, { [generate.property]: generate.pattern.replace('{n}', String(n)) })
}

async function publish(vector: Vector): Promise<void> {
  let batch: UsageEvent[] = []
  for (const event of eventsOf(vector)) {
    batch.push(event)
    if (batch.length < 10_000) continue
    await room.producer.send(batch)
    batch = []
  }
  // One by one: the second copy of an id comes after the first, whatever their times say.
  for (const event of batch) await room.producer.send([event])
}

async function call(method: 'GET' | 'POST', path: string, body?: object) {
  const response = await fetch(`${service.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${acme.key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text() }
}

test('there are vectors for each of these', () => {
  expect(chosen.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['F1', 'F2', 'F4', 'F6.1', 'F6.9', 'K2', 'K3.1', 'K4']),
  )
})

test.each(chosen)('$id, through the log, ClickHouse and the usage query', async (vector) => {
  const { period, aggregation, expected } = vector
  const { groupBy } = aggregation
  const query = new URLSearchParams({
    from: period.start,
    to: period.end,
    ...(groupBy === undefined ? {} : { groupBy }),
  })
  await vi.waitFor(async () => {
    const { status, text } = await call('GET', `/v1/meters/${meterKey(vector)}/usage?${query}`)
    expect(status, text).toBe(200)
    const { items }: UsageAnswer = JSON.parse(text)
    const shown = items.map(({ dimensions, value }) => [
      Object.values(dimensions ?? {}).join(),
      asPrinted(value ?? 'nothing', expected.decimals),
    ])
    const wanted = expected.groups ?? { '': expected.quantity ?? '' }
    expect(shown).toEqual(Object.entries(wanted).map(([group, value]) => [group, asPrinted(value)]))
  }, patience)
})

/** Vectors compare as decimals; with `decimals` they print the exact value rounded to so many places. */
function asPrinted(text: string, decimals?: string): string {
  const value = decimal(text)
  return formatDecimal(decimals === undefined ? value : round(value, Number(decimals)))
}
