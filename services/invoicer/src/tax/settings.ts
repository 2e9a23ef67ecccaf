import { Type } from 'typebox'

/** The part of the configuration that is about tax; spread into configSchema. */
export const taxSettings = {
  INVOICER_TAX_TIMEOUT_MS: Type.Integer({
    default: 10_000,
    minimum: 50,
    maximum: 120_000,
    description: 'How long an answer of a tax provider is awaited; after that the invoice stays a draft.',
  }),
  INVOICER_TAX_CONCURRENCY: Type.Integer({
    default: 8,
    minimum: 1,
    maximum: 100,
    description: 'Questions to a tax provider under way at a time; below what it allows in a second.',
  }),
}
