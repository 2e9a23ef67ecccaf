import { decimal, formatDecimal } from '@tidemark/schemas/decimal.ts'
import type { Currency } from '@tidemark/schemas/money.ts'
import { type Static, Type } from 'typebox'
import { buyCredits, type CreditPurchase, creditsFor, drawDown, grantCredits } from '../pricing/credits.ts'
import {
  closed,
  idField,
  numberField,
  roundedOf,
  show,
  type VectorContext,
  VectorFault,
  wholeField,
} from './input.ts'

export const walletFields = {
  op: Type.Enum(['top-up', 'grant', 'drawdown']),
  credits: Type.Optional(numberField),
  rate: Type.Optional(
    Type.String({
      pattern: '^(?=.*[1-9])\\d{1,12}(\\.\\d{1,12})?$',
      description: 'Money per credit, above zero; 1 by default',
    }),
  ),
  amount: Type.Optional(numberField),
  wallets: Type.Optional(
    Type.Array(Type.Object({ id: idField, priority: wholeField, balance: numberField }, closed), {
      maxItems: 100,
    }),
  ),
}
const schema = Type.Object(walletFields)
type WalletInput = Static<typeof schema>

export function previewWallet(input: WalletInput, { currency }: VectorContext) {
  if (input.op === 'drawdown') return drawnOf(input, currency)
  const rate = input.rate ?? '1'
  const bought = purchaseOf(input, rate, currency)
  const amount = show(bought.amountMicros)
  const credits = formatDecimal(bought.credits)
  return { amount, credits, trace: [{ step: input.op, rate, amount, credits }] }
}

function purchaseOf(
  { op, credits, amount }: WalletInput,
  rateText: string,
  currency: Currency,
): CreditPurchase {
  const rate = decimal(rateText)
  if (credits !== undefined)
    return (op === 'grant' ? grantCredits : buyCredits)(decimal(credits), rate, currency)
  if (amount === undefined) throw new VectorFault('credits', 'is missing: send credits, or an amount')
  const amountMicros = roundedOf(amount, currency)
  return { amountMicros, credits: creditsFor(amountMicros, rate) }
}

function drawnOf({ amount, wallets }: WalletInput, currency: Currency) {
  if (amount === undefined || wallets === undefined)
    throw new VectorFault('wallets', 'or amount is missing: a drawdown takes an amount from wallets')
  const { drawn, amountDueMicros } = drawDown(
    roundedOf(amount, currency),
    wallets.map(({ id, priority, balance }) => ({
      id,
      priority: BigInt(priority),
      balanceMicros: roundedOf(balance, currency),
    })),
  )
  const shown = drawn.map(({ id, amountMicros }) => ({ id, amount: show(amountMicros) }))
  return {
    drawn: shown,
    amountDue: show(amountDueMicros),
    trace: shown.map((each) => ({ step: 'drawdown', ...each })),
  }
}
