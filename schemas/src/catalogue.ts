import { Type } from 'typebox'
import { type AddOnItem, addOnItemSchema } from './add-on.ts'
import { closed } from './catalogue-fields.ts'
import { type Coupon, couponSchema } from './coupon.ts'
import { type Customer, customerSchema } from './customer.ts'
import { type ExchangeRate, exchangeRateSchema } from './exchange-rate.ts'
import { type Meter, meterSchema } from './meter.ts'
import { type PlanItem, planItemSchema } from './plan.ts'
import { type Seller, sellerSchema } from './seller.ts'
import { type Subscription, subscriptionSchema } from './subscription.ts'

const manyItems = { maxItems: 100_000 }

/** A tenant’s whole catalogue or a part of it: what is not named stays as it is. */
export const catalogueSchema = Type.Object(
  {
    seller: Type.Optional(sellerSchema),
    exchangeRates: Type.Optional(Type.Array(exchangeRateSchema, manyItems)),
    meters: Type.Optional(Type.Array(meterSchema, manyItems)),
    plans: Type.Optional(Type.Array(planItemSchema, manyItems)),
    addOns: Type.Optional(Type.Array(addOnItemSchema, manyItems)),
    coupons: Type.Optional(Type.Array(couponSchema, manyItems)),
    customers: Type.Optional(Type.Array(customerSchema, manyItems)),
    subscriptions: Type.Optional(Type.Array(subscriptionSchema, manyItems)),
  },
  closed,
)

export type Catalogue = {
  seller?: Seller
  exchangeRates?: ExchangeRate[]
  meters?: Meter[]
  plans?: PlanItem[]
  addOns?: AddOnItem[]
  coupons?: Coupon[]
  customers?: Customer[]
  subscriptions?: Subscription[]
}

/** A fault of a catalogue: where, such as `plans[0].prices[2].meter`, and what is wrong and how to mend it. */
export type CatalogueFault = { path: string; reason: string }
