import { decimal, zero } from '@tidemark/schemas/decimal.ts'
import type { PriceOf, Tier } from '@tidemark/schemas/price.ts'
import type { ExactAmount, PricedUsage } from '../rated.ts'
import { chargedRange } from './included-quantity.ts'
import { type WalkedTier, walkTiers } from './tier-walk.ts'

type Graduated = Pick<PriceOf<'graduated'>, 'tiers' | 'freeUnits' | 'zeroUsageFlatFee'>

/** Each part of the quantity costs what the tier says in which it lies. */
export const rateGraduated = (price: Graduated, usage: PricedUsage): ExactAmount =>
  walkTiers(price.tiers.map(readTier), chargedRange(usage, price.freeUnits), price.zeroUsageFlatFee)

const readTier = ({ upTo, unitPrice, flatFee }: Tier): WalkedTier => ({
  upTo: upTo === null ? null : decimal(upTo),
  unitPrice: decimal(unitPrice),
  flatFee: flatFee === undefined ? zero : decimal(flatFee),
})
