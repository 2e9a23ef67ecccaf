import type { Json } from '@tidemark/schemas/canonical-json.ts'

export type EventRecord = { [attribute: string]: Json }

const attributes = [
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'tenant',
  'tidemarkaction',
  'tidemarkrevision',
] as const

/**
 * A CloudEvent in binary mode: attributes in headers, the body is the data. `header` finds the header of an attribute,
 * `ce-id` over HTTP or `ce_id` in Kafka; attributes that nobody here knows are not asked for.
 */
export function binaryModeEvent(
  header: (attribute: string) => string | undefined,
  data: Json | undefined,
): EventRecord {
  const event: EventRecord = {}
  for (const attribute of attributes) {
    const text = header(attribute)
    if (text !== undefined) event[attribute] = text
  }
  if (data !== undefined) event.data = data
  return event
}

/** CloudEvents' HTTP binding encodes what a header cannot hold in percent; what is no such encoding stays as it is. */
export function decodeHeader(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
