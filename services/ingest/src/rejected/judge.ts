import type { OutboundMessage } from '@tidemark/infra/kafka/record.ts'
import type { Decoded } from '@tidemark/infra/schema-registry/decoder.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import { payloadHash } from '@tidemark/schemas/event-identity.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import type { UsageEvent } from '@tidemark/schemas/usage-event.ts'
import type { DataChecks } from '../event-schemas/component.ts'
import type { EventRules } from '../events/event-rules.ts'
import { readJson } from '../events/json-body.ts'
import { judgeEvent } from '../events/judge-event.ts'
import type { EncodeEvent } from '../events/usage-record.ts'
import { readInboundRecord } from '../relay/inbound-record.ts'
import type { Tenant } from '../tenants.ts'
import type { Rejection } from './rejection.ts'

export type Judgement =
  | { readonly kind: 'message'; readonly message: OutboundMessage }
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string }

export type JudgeOptions = {
  tenants: ReadonlyMap<string, Tenant>
  rules: EventRules
  dataChecks: DataChecks
  encode: EncodeEvent
  /** Of usage.events, where the aggregator's refusals come from. */
  decodeUsage(value: Buffer): Promise<Decoded<UsageEvent>>
}

const refused = (code: string, reason: string): Judgement => ({ kind: 'refused', code, reason })

/**
 * What becomes of a refused record when it comes again with the bytes, the tenant and the append time that it had: the
 * record for usage.events, or why it is refused still. The same answer as the relay's, under the rules of today.
 */
export async function judge(rejection: Rejection, options: JudgeOptions): Promise<Judgement> {
  // Told by the topic, which only we write, and not by the content type: that one a product chooses.
  if (rejection.origin.startsWith('usage.events.')) return judgeUsage(rejection, options)
  const { event, headers } = rejection
  const tenant = options.tenants.get(event.tenant)
  if (tenant === undefined) return refused('tenant_unknown', `There is no tenant "${event.tenant}".`)
  const contentType = event.contentType === '' ? {} : { 'content-type': event.contentType }
  const record = {
    offset: BigInt(event.originOffset),
    key: null,
    value: event.original,
    timestampMs: event.originTime,
    headers: { ...headers, ...contentType },
  }
  const read = readInboundRecord(record, options.rules, options.dataChecks.of(tenant.id))
  if (read.kind === 'fault') return refused(read.code, read.message)
  const acceptedAt = event.originTime * 1000
  const origin = { tenant: tenant.id, tenantNumber: tenant.number, acceptedAt }
  return { kind: 'message', message: options.encode(read, origin) }
}

/** Last second that the ledger can hold, in microseconds. */
const latestMicros = 4_294_967_295 * 1_000_000

/** A record that the aggregator refused: its event is taken out, checked as at the door and put where it belongs. */
async function judgeUsage({ event }: Rejection, options: JudgeOptions): Promise<Judgement> {
  const decoded = await options.decodeUsage(event.original)
  if (decoded.kind === 'malformed')
    return refused('undecodable', `The bytes are no event: ${decoded.reason}.`)
  const usage = decoded.value
  const tenant = options.tenants.get(usage.tenant)
  if (tenant === undefined || tenant.number !== usage.tenantNumber)
    return refused(
      'tenant_unknown',
      `There is no tenant "${usage.tenant}" with number ${usage.tenantNumber}.`,
    )
  if ([usage.time, usage.acceptedAt].some((micros) => micros < 0 || micros > latestMicros))
    return refused('invalid_time', 'time or acceptedAt is outside 1970 to 2106.')
  const cloudEvent = toCloudEvent(usage)
  if (cloudEvent === undefined) return refused('invalid_data', 'The data is not JSON.')
  const checked = judgeEvent(cloudEvent, options.rules, usage.acceptedAt, options.dataChecks.of(tenant.id))
  if (checked.kind !== 'event') return refused(checked.code, `${checked.field}: ${checked.message}`)
  const origin = { tenant: tenant.id, tenantNumber: tenant.number, acceptedAt: usage.acceptedAt }
  return { kind: 'message', message: options.encode(checked, origin) }
}

function toCloudEvent(usage: UsageEvent): Json | undefined {
  const { id, source, type, subject, time } = usage
  const event: { [name: string]: Json } = { specversion: '1.0', id, source, type, subject }
  if (usage.action !== 'none') {
    event.tidemarkaction = usage.action
    event.tidemarkrevision = usage.revision
  }
  // Without a time the payload hash is another one: sent with it now, a copy that lies in the log would be a conflict.
  if (!wasSentWithoutTime(usage)) event.time = formatInstant(time)
  if (usage.data === '') return event
  const data = readJson(Buffer.from(usage.data))
  if (data.kind !== 'json') return undefined
  event.data = data.value
  return event
}

const wasSentWithoutTime = (usage: UsageEvent): boolean =>
  usage.time === usage.acceptedAt &&
  payloadHash({ ...usage, timeMicros: undefined }).equals(usage.payloadHash)
