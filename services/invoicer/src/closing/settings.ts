import { Type } from 'typebox'

export const closingSettings = {
  INVOICER_GRACE_SECONDS: Type.Integer({
    default: 3_600,
    minimum: 0,
    maximum: 2_678_400,
    description:
      'How long after its end a period waits for late usage before it closes, unless a close says otherwise.',
  }),
  INVOICER_GATE_WAIT_MS: Type.Integer({
    default: 10_000,
    minimum: 0,
    maximum: 600_000,
    description: 'How long a close waits for watermarks that are a moment behind before it says so.',
  }),
  INVOICER_CLOSE_BATCH_SIZE: Type.Integer({
    default: 500,
    minimum: 1,
    maximum: 5_000,
    description: 'Invoices per transaction: more are faster and hold the tenant’s number counter longer.',
  }),
  INVOICER_UNBILLED_WATCH_SECONDS: Type.Integer({
    default: 900,
    minimum: 1,
    maximum: 86_400,
    description:
      'How often the last day is searched for usage that nobody pays for; each time reads a day of every tenant.',
  }),
}
