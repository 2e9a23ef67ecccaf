import { formatInstant } from '@tidemark/schemas/instant.ts'
import type { UsageEvent } from '@tidemark/schemas/usage-event.ts'
import { usageEvent } from '../usage-producer.ts'

/** The tenant of every installation of a benchmark; the first, hence number 1. */
export const benchTenant = 'acme'

const subjects = 1_000
const serialDigits = 10

/** Ids have one length, so that a body can be numbered anew in place. */
const eventId = (run: string, serial: number): string => `${run}-${serialText(serial)}`

export const serialText = (serial: number): string => String(serial).padStart(serialDigits, '0')

/** The event of all benchmarks: 188 bytes as JSON, 130 on usage.events. */
export function benchEvent(run: string, serial: number): UsageEvent {
  return usageEvent({
    id: eventId(run, serial),
    tenant: benchTenant,
    source: 'bench/api',
    type: 'request',
    subject: `customer-${String(serial % subjects).padStart(4, '0')}`,
    data: `{"bytes":${1_000 + (serial % 9_000)},"region":"eu-west"}`,
  })
}

/** The same event as a product sends it. */
export function cloudEventText({ id, source, type, subject, time, data }: UsageEvent): string {
  const attributes = { specversion: '1.0', id, source, type, subject, time: formatInstant(time) }
  return `${JSON.stringify(attributes).slice(0, -1)},"data":${data}}`
}
