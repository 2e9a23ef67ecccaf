import type { Json } from '@tidemark/schemas/canonical-json.ts'
import type { UsageEvent } from '@tidemark/schemas/usage-event.ts'
import { type EventFault, eventFault } from './fault-codes.ts'

export type EventAction = Pick<UsageEvent, 'action' | 'revision'>

const plain: EventAction = { action: 'none', revision: 0 }
const largestRevision = 2_147_483_647

/** What an event does: it stands for itself, or voids or corrects another one of the same source and id. */
export function readAction(event: { readonly [name: string]: Json | undefined }): EventAction | EventFault {
  const action = event.tidemarkaction ?? undefined
  const given = event.tidemarkrevision ?? undefined
  if (action === undefined && given === undefined) return plain
  if (action !== 'void' && action !== 'correct') return eventFault('action_invalid', 'tidemarkaction')
  const revision = readRevision(given)
  if (revision === undefined) return eventFault('revision_invalid', 'tidemarkrevision')
  return { action, revision }
}

/** A JSON number; or its digits, for attributes in headers are text, and some SDKs write all extensions so. */
function readRevision(value: Json | undefined): number | undefined {
  const number = typeof value === 'string' && /^[1-9][0-9]{0,9}$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number)) return undefined
  return number >= 1 && number <= largestRevision ? number : undefined
}
