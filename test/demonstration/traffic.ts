import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import type { DemoTenant } from './company.ts'
import { createRandom, type Random } from './random.ts'

type CloudEvent = {
  specversion: string
  id: string
  source: string
  type: string
  subject: string
  time?: string
  data: Record<string, unknown>
}

/** An event with what the generator knows of it: the measure of the whole demonstration. */
export type PlannedEvent = {
  tenant: string
  event: CloudEvent
  /** Undefined when the event is not valid and must be refused. */
  usage: { customer: string | undefined; meter: string; thousandths: bigint; closed: boolean } | undefined
}

export type TrafficSizes = { httpEvents: number; kafkaEvents: number; lateEvents: number }

export type Traffic = {
  /** Everything that arrives in time. */
  http: PlannedEvent[]
  kafka: PlannedEvent[]
  /** Events of the closed month that arrive after its hours were sealed. */
  late: PlannedEvent[]
}

/** One in fifty is sent again, as a client does that never saw the answer. */
const retryEvery = 50
/** One in four hundred is not valid. */
const invalidEvery = 400
/** One in five thousand belongs to nobody: accepted, and billed to no one. */
const strayEvery = 5000

/** Plans all traffic of the company for the closed month and the current one. */
export function planTraffic(
  tenants: readonly DemoTenant[],
  sizes: TrafficSizes,
  now: Micros1970,
  seed: number,
): Traffic {
  const random = createRandom(seed)
  const plan = (count: number, name: string, closedShare: number) =>
    Array.from({ length: count }, (_, index) =>
      planEvent(random, tenants, `${name}-${index}`, index, closedShare, now),
    )
  const http = withRetries(random, plan(sizes.httpEvents, 'http', 75))
  const kafka = withRetries(random, plan(sizes.kafkaEvents, 'kafka', 75))
  return { http, kafka, late: plan(sizes.lateEvents, 'late', 100) }
}

function planEvent(
  random: Random,
  tenants: readonly DemoTenant[],
  id: string,
  index: number,
  closedShare: number,
  now: Micros1970,
): PlannedEvent {
  const tenant = random.pick(tenants)
  const customer = random.pick(tenant.customers)
  const closed = random.below(100) < closedShare
  const stray = index % strayEvery === strayEvery - 1
  const time =
    stray || closed
      ? timeWithin(random, customer.closed.start, customer.closed.end)
      : timeWithin(random, customer.current.start, Math.min(now, customer.current.end))
  const { type, data, meter, thousandths } = measure(random, tenant.id)
  const event: CloudEvent = {
    specversion: '1.0',
    id,
    source: `/demo/${tenant.id}/${type}`,
    type,
    subject: stray ? 'nobody' : random.pick(customer.subjects),
    time: formatInstant(time),
    data,
  }
  if (index % invalidEvery === invalidEvery - 1)
    return { tenant: tenant.id, event: spoil(random, event), usage: undefined }
  return {
    tenant: tenant.id,
    event,
    usage: { customer: stray ? undefined : customer.key, meter, thousandths, closed: closed || stray },
  }
}

/** Half-open: the start itself is drawn now and then, the end never. */
function timeWithin(random: Random, start: Micros1970, end: Micros1970): Micros1970 {
  if (random.below(500) === 0) return start
  if (random.below(500) === 0) return end - 1
  return start + random.below(Math.max(1, Math.floor((end - start) / 1000))) * 1000
}

function measure(random: Random, tenant: string) {
  if (tenant === 'lumen' && random.below(3) > 0) {
    const ok = random.below(20) > 0
    const data = {
      status: ok ? 'ok' : 'error',
      region: random.pick(['eu', 'us', 'ap']),
      route: '/v1/complete',
    }
    return { type: 'api.request', data, meter: 'api_calls', thousandths: ok ? 1000n : 0n }
  }
  if (tenant === 'lumen') {
    const tokens = 1 + random.below(40)
    return {
      type: 'model.completion',
      data: { model: 'm1', usage: { tokens } },
      meter: 'tokens',
      thousandths: BigInt(tokens) * 1000n,
    }
  }
  if (random.below(2) === 0) {
    const thousandths = 1 + random.below(900)
    // As text half of the time: both forms of a quantity are one quantity.
    const gb = `0.${String(thousandths).padStart(3, '0')}`
    return {
      type: 'transfer.finished',
      data: { gb: random.below(2) === 0 ? gb : Number(gb) },
      meter: 'transfer_gb',
      thousandths: BigInt(thousandths),
    }
  }
  return {
    type: 'job.finished',
    data: { queue: random.pick(['fast', 'slow']) },
    meter: 'jobs',
    thousandths: 1000n,
  }
}

/** One of the ways in which products get an event wrong. */
function spoil(random: Random, event: CloudEvent): CloudEvent {
  const spoilt = [
    { ...event, specversion: '0.3' },
    { ...event, subject: '' },
    { ...event, time: '2026-13-45T00:00:00Z' },
    { ...event, time: '1999-01-01T00:00:00Z' },
    { ...event, type: 'x'.repeat(200) },
  ]
  return random.pick(spoilt)
}

/** Sends every fiftieth valid event a second time, somewhat later. */
function withRetries(random: Random, planned: PlannedEvent[]): PlannedEvent[] {
  const sent: PlannedEvent[] = []
  const waiting: PlannedEvent[] = []
  for (const [index, each] of planned.entries()) {
    sent.push(each)
    if (each.usage && index % retryEvery === 0) waiting.push(each)
    if (waiting.length > 0 && random.below(100) === 0) sent.push(...waiting.splice(0))
  }
  return [...sent, ...waiting]
}
