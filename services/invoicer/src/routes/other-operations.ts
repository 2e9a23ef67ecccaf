import { answer, type Operation, refusals } from '@tidemark/infra/openapi/operation.ts'
import { Type } from 'typebox'
import { invalidBody, withKey } from '../openapi/refusals.ts'
import { previewKinds } from '../pricing/preview/preview.ts'

const previewed = withKey('read', invalidBody)
const decimals = Type.String({ description: 'Decimal text in major units.' })

export const pricingOperation: Operation = {
  method: 'POST',
  url: '/v1/pricing/preview',
  schema: {
    operationId: 'previewPricing',
    summary: 'Preview a calculation',
    description:
      'Any calculation of pricing from its input alone: a price and its usage, lines with discounts, commitments and taxes, a proration, a plan change, credits. `kind` says which; the other fields are those of the golden vectors, and so are those of the answer, with each step’s numbers in `trace`. Nothing is read and nothing is stored.',
    tags: ['Pricing'],
    security: previewed.security,
    body: Type.Union(
      Object.values(previewKinds).map(({ schema }) => schema),
      {
        examples: [
          {
            kind: 'price',
            currency: 'USD',
            price: { model: 'per-unit', unitPrice: '0.0175' },
            usage: '1000',
          },
        ],
      },
    ),
    response: {
      200: answer(
        'What it comes to.',
        Type.Object(
          { amount: Type.Optional(decimals), trace: Type.Array(Type.Object({ step: Type.String() })) },
          { additionalProperties: true },
        ),
        { amount: '17.50', trace: [{ step: 'rounding', exact: '17.5', amount: '17.50' }] },
      ),
      ...previewed.refused,
    },
  },
}

export const webhookOperation: Operation = {
  method: 'POST',
  url: '/v1/webhooks/stripe',
  schema: {
    operationId: 'receiveStripeEvent',
    summary: 'Take an event of Stripe',
    description:
      'Without an API key: the signature over the raw body says who sends. What is genuine is stored before the 200, so that nothing is lost if processing it fails.',
    tags: ['Payments'],
    security: [],
    headers: Type.Object({ 'stripe-signature': Type.String() }),
    body: Type.Object({}, { description: 'An event as Stripe sends it.' }),
    response: {
      200: answer('It is stored.', Type.Object({ received: Type.Boolean() }), { received: true }),
      ...refusals([
        {
          status: 400,
          code: 'webhook_signature_invalid',
          detail: 'The signature does not belong to this body and secret.',
        },
      ]),
    },
  },
}
