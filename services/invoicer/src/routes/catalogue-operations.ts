import { answer, type Operation } from '@tidemark/infra/openapi/operation.ts'
import { catalogueSchema } from '@tidemark/schemas/catalogue.ts'
import { couponSchema } from '@tidemark/schemas/coupon.ts'
import { exchangeRateSchema } from '@tidemark/schemas/exchange-rate.ts'
import { sellerSchema } from '@tidemark/schemas/seller.ts'
import {
  badRequest,
  ifMatch,
  invalidCatalogue,
  pageOfSchema,
  revised,
  revisionConflict,
  unknown,
  withKey,
} from '../openapi/refusals.ts'
import { applied, couponExample, planExample, rateExample, sellerExample } from './catalogue-examples.ts'
import { applyResultSchema } from './catalogue-schemas.ts'
import { applyQuery } from './catalogue-writing.ts'
import { couponParams } from './coupons.ts'
import { listQuery } from './customers.ts'
import { ratesQuery } from './seller.ts'

const writer = withKey('admin', badRequest, revisionConflict, invalidCatalogue)
const reader = withKey('read', badRequest)

const write = (example: unknown) => ({
  security: writer.security,
  querystring: applyQuery,
  headers: ifMatch,
  response: { 200: revised('What changed, or would change.', applyResultSchema, example), ...writer.refused },
})

const noCoupon = unknown(
  'coupon_unknown',
  'There is no coupon "none"; GET /v1/coupons lists those that exist.',
)
const noSeller = unknown('seller_unknown', 'Nobody has said who sells yet; PUT /v1/seller does.')

export const catalogueOperations: readonly Operation[] = [
  {
    method: 'POST',
    url: '/v1/catalogue',
    schema: {
      operationId: 'applyCatalogue',
      summary: 'Apply a catalogue',
      description:
        'Checks all of a catalogue, or of a part of it, and applies it whole or refuses it whole. What it does not name stays as it is; the same again changes nothing. A dry run says what would change. Meters are kept by the aggregator and stand here only in dry runs.',
      tags: ['Catalogue'],
      body: { ...catalogueSchema, examples: [{ plans: [planExample] }] },
      ...write(applied('plan', 'pro', 'created', 1)),
    },
  },
  {
    method: 'GET',
    url: '/v1/seller',
    schema: {
      operationId: 'readSeller',
      summary: 'Read the seller',
      description: "The tenant's legal person, as invoices name it.",
      tags: ['Catalogue'],
      security: reader.security,
      response: {
        200: revised('The seller.', sellerSchema, sellerExample),
        ...withKey('read', noSeller).refused,
      },
    },
  },
  {
    method: 'PUT',
    url: '/v1/seller',
    schema: {
      operationId: 'setSeller',
      summary: 'Say who sells',
      description:
        'Sets the legal seller whole. Under a new prefix the invoice series goes on counting: no number is given twice.',
      tags: ['Catalogue'],
      body: { ...sellerSchema, examples: [sellerExample] },
      ...write(applied('seller', 'seller')),
    },
  },
  {
    method: 'GET',
    url: '/v1/exchange-rates',
    schema: {
      operationId: 'listExchangeRates',
      summary: 'List exchange rates',
      description: 'By pair and date. The newest until a date is the one in force on it.',
      tags: ['Catalogue'],
      security: reader.security,
      querystring: ratesQuery,
      response: {
        200: answer('A page of them.', pageOfSchema(exchangeRateSchema), {
          items: [rateExample],
          nextCursor: null,
        }),
        ...reader.refused,
      },
    },
  },
  {
    method: 'POST',
    url: '/v1/exchange-rates',
    schema: {
      operationId: 'setExchangeRate',
      summary: 'Set an exchange rate',
      description:
        'From its date on. Invoices are in the customer’s own currency and rest on none, so nothing that is billed changes.',
      tags: ['Catalogue'],
      body: { ...exchangeRateSchema, examples: [rateExample] },
      ...write(applied('exchange-rate', 'EUR/USD/2026-11-01')),
    },
  },
  {
    method: 'GET',
    url: '/v1/coupons',
    schema: {
      operationId: 'listCoupons',
      summary: 'List coupons',
      description: 'All of the tenant, by id.',
      tags: ['Coupons'],
      security: reader.security,
      querystring: listQuery,
      response: {
        200: answer('A page of them.', pageOfSchema(couponSchema), {
          items: [couponExample],
          nextCursor: null,
        }),
        ...reader.refused,
      },
    },
  },
  {
    method: 'POST',
    url: '/v1/coupons',
    schema: {
      operationId: 'applyCoupon',
      summary: 'Create or change a coupon',
      description:
        'What a coupon is worth never changes, since invoices rest on it; its name, its last day and the number of its redemptions may.',
      tags: ['Coupons'],
      body: { ...couponSchema, examples: [couponExample] },
      ...write(applied('coupon', 'launch')),
    },
  },
  {
    method: 'GET',
    url: '/v1/coupons/:id',
    schema: {
      operationId: 'readCoupon',
      summary: 'Read a coupon',
      description: 'With its revision in the etag.',
      tags: ['Coupons'],
      security: reader.security,
      params: couponParams,
      response: {
        200: revised('The coupon.', couponSchema, couponExample),
        ...withKey('read', badRequest, noCoupon).refused,
      },
    },
  },
  {
    method: 'PUT',
    url: '/v1/coupons/:id',
    schema: {
      operationId: 'setCoupon',
      summary: 'Set a coupon',
      description: 'As POST, under the id of the address.',
      tags: ['Coupons'],
      params: couponParams,
      body: { ...couponSchema, examples: [couponExample] },
      ...write(applied('coupon', 'launch', 'changed')),
    },
  },
]
