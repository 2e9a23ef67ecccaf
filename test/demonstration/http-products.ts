import { setTimeout as pause } from 'node:timers/promises'
import type { PlannedEvent } from './traffic.ts'

export type HttpProgress = {
  sent: number
  accepted: number
  duplicates: number
  rejected: number
  resent: number
}

export type HttpProductsOptions = {
  url: string
  /** API key by tenant. */
  keys: ReadonlyMap<string, string>
  clients: number
  batchEvents: number
  onProgress(progress: HttpProgress): void
}

/** How often a client tries one batch before the demonstration is given up. */
const attempts = 20

/**
 * Products that speak HTTP: several clients, each sending the next batch when its last is answered. A batch whose answer
 * never came is sent again, as a client has to; the log finds what was there already.
 */
export async function sendOverHttp(
  planned: readonly PlannedEvent[],
  options: HttpProductsOptions,
): Promise<HttpProgress> {
  const queue = batchesByTenant(planned, options.batchEvents)
  const progress: HttpProgress = { sent: 0, accepted: 0, duplicates: 0, rejected: 0, resent: 0 }
  const client = async () => {
    for (let batch = queue.shift(); batch; batch = queue.shift()) {
      const answer = await sendBatch(batch, options, progress)
      progress.sent += batch.events.length
      progress.accepted += answer.accepted
      progress.duplicates += answer.duplicates
      progress.rejected += answer.rejected
      options.onProgress(progress)
    }
  }
  await Promise.all(Array.from({ length: options.clients }, client))
  return progress
}

type Batch = { tenant: string; events: PlannedEvent[] }

function batchesByTenant(planned: readonly PlannedEvent[], batchEvents: number): Batch[] {
  const batches: Batch[] = []
  const open = new Map<string, Batch>()
  for (const each of planned) {
    let batch = open.get(each.tenant)
    if (!batch || batch.events.length === batchEvents) {
      batch = { tenant: each.tenant, events: [] }
      open.set(each.tenant, batch)
      batches.push(batch)
    }
    batch.events.push(each)
  }
  return batches
}

type Answer = { accepted: number; duplicates: number; rejected: number }

async function sendBatch(
  batch: Batch,
  options: HttpProductsOptions,
  progress: HttpProgress,
): Promise<Answer> {
  const body = JSON.stringify(batch.events.map(({ event }) => event))
  for (let attempt = 1; ; attempt++) {
    const answer = await post(body, batch.tenant, options).catch((error: unknown) => String(error))
    if (typeof answer !== 'string') return answer
    if (attempt === attempts)
      throw new Error(`a batch of ${batch.tenant} was not taken after ${attempts} attempts: ${answer}`)
    progress.resent += batch.events.length
    await pause(200 * attempt)
  }
}

async function post(body: string, tenant: string, options: HttpProductsOptions): Promise<Answer | string> {
  const response = await fetch(`${options.url}/v1/events`, {
    method: 'POST',
    headers: {
      'content-type': 'application/cloudevents-batch+json',
      authorization: `Bearer ${options.keys.get(tenant) ?? ''}`,
    },
    body,
    signal: AbortSignal.timeout(30_000),
  })
  if (response.status === 202) return (await response.json()) as Answer
  const text = await response.text()
  if (response.status === 503) return text
  throw new Error(`ingest answered ${response.status}: ${text.slice(0, 500)}`)
}
