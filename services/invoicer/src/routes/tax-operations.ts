import type { Operation } from '@tidemark/infra/openapi/operation.ts'
import { Type } from 'typebox'
import { ifMatch, invalidBody, revised, revisionConflict, withKey } from '../openapi/refusals.ts'
import { taxProviderNames } from '../tax/port.ts'
import { taxRateSchema } from '../tax/tax-rate.ts'
import { ratesBody, settingBody } from './tax.ts'

const tags = ['Tax']
const reader = withKey('read')
const writer = withKey('admin', revisionConflict, invalidBody)
const provider = Type.Enum([...taxProviderNames])
const settingsSchema = Type.Object({
  provider: Type.Enum([...taxProviderNames], { description: 'Who answers today.' }),
  settings: Type.Array(Type.Object({ provider, from: Type.String({ format: 'date' }) })),
})
const settingsExample = { provider: 'fixed', settings: [{ provider: 'fixed', from: '2026-11-01' }] }
const ratesSchema = Type.Object({ rates: Type.Array(taxRateSchema) })
const ratesExample = {
  rates: [{ id: 'de-vat', tax: 'vat', percent: '19', from: '2021-01-01', country: 'DE' }],
}

export const taxOperations: readonly Operation[] = [
  {
    method: 'GET',
    url: '/v1/tax/settings',
    schema: {
      operationId: 'readTaxSettings',
      summary: 'Read who calculates tax',
      description: 'The provider of today, and every dated choice.',
      tags,
      security: reader.security,
      response: { 200: revised('The choices.', settingsSchema, settingsExample), ...reader.refused },
    },
  },
  {
    method: 'PUT',
    url: '/v1/tax/settings',
    schema: {
      operationId: 'chooseTaxProvider',
      summary: 'Choose who calculates tax',
      description: 'From a date on. It touches new calculations only: what an invoice rests on stays.',
      tags,
      security: writer.security,
      headers: ifMatch,
      body: { ...settingBody, examples: [{ provider: 'fixed', from: '2026-12-01' }] },
      response: {
        200: revised('The choices as they are now.', settingsSchema, settingsExample),
        ...writer.refused,
      },
    },
  },
  {
    method: 'GET',
    url: '/v1/tax/rates',
    schema: {
      operationId: 'readTaxRates',
      summary: 'Read your own tax rates',
      description: 'All of them, by where and from when each holds.',
      tags,
      security: reader.security,
      response: { 200: revised('The rates.', ratesSchema, ratesExample), ...reader.refused },
    },
  },
  {
    method: 'PUT',
    url: '/v1/tax/rates',
    schema: {
      operationId: 'setTaxRates',
      summary: 'Set your own tax rates',
      description: 'A whole list in place of the one before, or none of it.',
      tags,
      security: writer.security,
      headers: ifMatch,
      body: { ...ratesBody, examples: [ratesExample] },
      response: { 200: revised('The rates as they are now.', ratesSchema, ratesExample), ...writer.refused },
    },
  },
]
