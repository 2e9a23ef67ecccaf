import { decimal, formatDecimal } from '@tidemark/schemas/decimal.ts'
import { formatMicros, roundToMinorUnit } from '@tidemark/schemas/money.ts'
import { type Static, Type } from 'typebox'
import { buyCredits, creditsFor, drawDown, grantCredits } from '../credits.ts'
import { bodyOf, closed, countField, idField, quantityField, rateField } from './fields.ts'
import { type Previewed, previewKind } from './kind.ts'

const body = bodyOf('wallet', {
  op: Type.Enum(['top-up', 'grant', 'drawdown']),
  credits: Type.Optional(quantityField),
  rate: Type.Optional(rateField),
  amount: Type.Optional(quantityField),
  wallets: Type.Optional(
    Type.Array(Type.Object({ id: idField, priority: countField, balance: quantityField }, closed), {
      maxItems: 100,
    }),
  ),
})
type Body = Static<typeof body>

/** Prepaid credits: bought, given, or used for an amount. */
export const walletPreview = previewKind(body, (given) =>
  given.op === 'drawdown' ? previewDrawdown(given) : previewPurchase(given),
)

function previewPurchase({ op, credits, rate, amount, currency }: Body): Previewed {
  if (rate === undefined) return { faults: [{ field: 'rate', reason: 'is missing: what one credit costs' }] }
  if ((credits === undefined) === (amount === undefined))
    return { faults: [{ field: 'credits', reason: 'give either credits or amount' }] }
  const micros = roundToMinorUnit(decimal(amount ?? '0'), currency)
  const bought =
    credits === undefined
      ? { amountMicros: micros, credits: creditsFor(micros, decimal(rate)) }
      : (op === 'grant' ? grantCredits : buyCredits)(decimal(credits), decimal(rate), currency)
  const answer = {
    amount: formatMicros(bought.amountMicros, currency),
    credits: formatDecimal(bought.credits),
  }
  return { answer: { ...answer, trace: [{ step: op, rate, ...answer }] } }
}

function previewDrawdown({ amount, wallets = [], currency }: Body): Previewed {
  if (amount === undefined) return { faults: [{ field: 'amount', reason: 'is missing: what is to be paid' }] }
  const micros = (text: string) => roundToMinorUnit(decimal(text), currency)
  const { drawn, amountDueMicros } = drawDown(
    micros(amount),
    wallets.map(({ id, priority, balance }) => ({
      id,
      priority: BigInt(priority),
      balanceMicros: micros(balance),
    })),
  )
  const used = drawn.map((each) => ({ id: each.id, amount: formatMicros(each.amountMicros, currency) }))
  return {
    answer: {
      drawn: used,
      amountDue: formatMicros(amountDueMicros, currency),
      trace: used.map((each) => ({ step: 'drawdown', ...each })),
    },
  }
}
