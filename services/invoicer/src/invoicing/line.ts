import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import type { Decimal } from '@tidemark/schemas/decimal.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Micros } from '@tidemark/schemas/money.ts'
import type { Price } from '@tidemark/schemas/price.ts'
import type { TraceStep } from '../pricing/rated.ts'
import type { PriceInForce, PriceSource } from './sources.ts'

/** What a line is: a charge for usage or a fee, what a change of plan returns and asks for, or what commitments add. */
export type LineKind = 'usage' | 'fee' | 'credit' | 'charge' | 'true-up'

/** One charge of an invoice before commitments, discounts and tax; rounded. */
export type Charge = {
  /** One in its invoice. */
  readonly id: string
  readonly kind: LineKind
  /** Of its price, over all versions. */
  readonly key: string
  readonly price: string
  readonly model: Price['model'] | 'commitment'
  readonly description: string
  readonly source: PriceSource
  /** What it is for. */
  readonly service: BillingPeriod
  /** What was metered; a fee has none. */
  readonly usage: { readonly meter: string; readonly meterVersion: number } | undefined
  /** Metered, or of the subscription (seats); none for a flat fee. */
  readonly quantity: Decimal | undefined
  readonly amountMicros: Micros
  /** Whether it counts towards the minimum and maximum of the period that has ended. */
  readonly committed: boolean
  /** Where it counts towards them, if not where its service begins. */
  readonly countedAt?: Micros1970
  readonly taxCode: string | undefined
  readonly taxes: readonly string[] | undefined
  readonly trace: readonly TraceStep[]
}

/** Before the lines of an invoice are put into their order. */
export type UnnamedCharge = Omit<Charge, 'id'>

/** What every charge of a price has from it. */
export const ofPrice = ({ key, price, source }: Pick<PriceInForce, 'key' | 'price' | 'source'>) => ({
  key,
  price: price.id,
  model: price.model,
  description: price.description ?? price.id,
  source,
  taxCode: price.taxCode,
  taxes: price.taxes,
})
