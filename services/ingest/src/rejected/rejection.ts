import type { KafkaHeaders } from '@tidemark/infra/kafka/record.ts'
import type { RejectedEvent } from '@tidemark/schemas/usage-event.ts'

/** A record of usage.rejected. */
export type Rejection = {
  /** `<topic>/<partition>/<offset>` of the record that was refused, without the installation's prefix: its name. */
  readonly origin: string
  /** The same of the record on usage.rejected. */
  readonly place: string
  readonly event: RejectedEvent
  /** In binary mode the attributes of the refused event. */
  readonly headers: KafkaHeaders
}

export type MarkAction = 'replayed' | 'discarded'

export type Mark = { readonly action: MarkAction; readonly at: string; readonly by: string }

export type MarkedRejection = Rejection & { readonly mark: Mark | undefined }

export type RejectionState = 'open' | MarkAction

export type RejectionFilter = {
  /** Origin, or place on usage.rejected. */
  readonly name?: string
  readonly tenant?: string
  readonly code?: string
  /** When the refused record was appended, half-open, in microseconds. */
  readonly from?: number
  readonly to?: number
  readonly state: RejectionState | 'all'
  readonly limit?: number
}

/** One record keeps this key however often a relay that repeats writes it to usage.rejected. */
export const originKey = ({ event }: Rejection): string => markKey(event)

export const markKey = (origin: {
  originTopic: string
  originPartition: number
  originOffset: number
  originTime: number
}): string => `${origin.originTopic}/${origin.originPartition}/${origin.originOffset}@${origin.originTime}`

/** All of a filter that the record itself answers. */
export function matches({ origin, place, event }: Rejection, filter: RejectionFilter): boolean {
  const micros = event.originTime * 1000
  return (
    (filter.name === undefined || filter.name === origin || filter.name === place) &&
    (filter.tenant === undefined || filter.tenant === event.tenant) &&
    (filter.code === undefined || filter.code === event.code) &&
    (filter.from === undefined || micros >= filter.from) &&
    (filter.to === undefined || micros < filter.to)
  )
}
