import { isRecord } from '@tidemark/infra/process/record.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { DataCheck } from '../event-schemas/event-schemas.ts'
import type { EventRules } from './event-rules.ts'
import type { EventFault } from './fault-codes.ts'
import { type ValidEvent, validateEvent } from './validate-event.ts'

/** validateEvent, and then the schemas that the tenant's meters carry, if there are any. */
export function judgeEvent(
  value: Json,
  rules: EventRules,
  nowMicros: Micros1970,
  checkData: DataCheck | undefined,
): ValidEvent | EventFault {
  const event = validateEvent(value, rules, nowMicros)
  if (checkData === undefined || event.kind === 'fault' || !isRecord(value)) return event
  // What is withdrawn need not be described again.
  if (value.tidemarkaction === 'void') return event
  return checkData(event.type, value.data ?? undefined) ?? event
}
