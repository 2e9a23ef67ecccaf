import { createHash } from 'node:crypto'
import { canonicalJson, type Json } from '@tidemark/schemas/canonical-json.ts'
import { decimal, formatDecimal } from '@tidemark/schemas/decimal.ts'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import type { LineTax, TaxAnswer } from '../pricing/priced-invoice.ts'
import type { TaxRequest } from './port.ts'

// The form in which requests and answers are stored, and stand in certificates: numbers are decimal text.

export const taxRequestJson = (request: TaxRequest): Json => {
  const { idempotencyKey, currency, date, taxInclusive, seller, customer, lines } = request
  return {
    idempotencyKey,
    currency,
    date,
    taxInclusive,
    seller: seller === undefined ? null : { country: seller.country, taxIds: seller.taxIds.map(plain) },
    customer: {
      address: customer.address === undefined ? null : plain(customer.address),
      taxId: customer.taxId === undefined ? null : plain(customer.taxId),
      exemption: customer.exemption,
    },
    lines: lines.map(({ id, netMicros, taxCode, taxes }) => ({
      id,
      netMicros: String(netMicros),
      ...(taxCode === undefined ? {} : { taxCode }),
      ...(taxes === undefined ? {} : { taxes: [...taxes] }),
    })),
  }
}

/** Tells two contents of one key apart. */
export const taxRequestSha256 = (request: TaxRequest): string =>
  createHash('sha256')
    .update(canonicalJson(taxRequestJson(request)))
    .digest('hex')

export const taxAnswerJson = ({ provider, version, lines }: TaxAnswer): Json => ({
  provider,
  version,
  lines: lines.map(({ id, taxes }) => ({
    id,
    taxes: taxes.map(({ id: tax, rate, amountMicros, reason }) => ({
      id: tax,
      rate: formatDecimal(rate),
      ...(amountMicros === undefined ? {} : { amountMicros: String(amountMicros) }),
      ...(reason === undefined ? {} : { reason }),
    })),
  })),
})

const answerSchema = Type.Object({
  provider: Type.String(),
  version: Type.String(),
  lines: Type.Array(
    Type.Object({
      id: Type.String(),
      taxes: Type.Array(
        Type.Object({
          id: Type.String(),
          rate: Type.String(),
          amountMicros: Type.Optional(Type.String({ pattern: '^-?\\d+$' })),
          reason: Type.Optional(Type.Enum(['reverse_charge', 'exempt', 'not_collecting'])),
        }),
      ),
    }),
  ),
})

/** Reads what taxAnswerJson has written. @throws when it is something else */
export function readTaxAnswer(json: unknown): TaxAnswer {
  const { provider, version, lines } = Value.Parse(answerSchema, json)
  return { provider, version, lines: lines.map(({ id, taxes }) => ({ id, taxes: taxes.map(lineTax) })) }
}

const lineTax = ({
  id,
  rate,
  amountMicros,
  reason,
}: Static<typeof answerSchema>['lines'][number]['taxes'][number]): LineTax => ({
  id,
  rate: decimal(rate),
  ...(amountMicros === undefined ? {} : { amountMicros: BigInt(amountMicros) }),
  ...(reason === undefined ? {} : { reason }),
})

/** Fields that are there. */
const plain = (fields: Readonly<Record<string, string | undefined>>): Json =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
