import { type Decimal, decimal, divideHalfAwayFromZero, powerOfTen } from '@tidemark/schemas/decimal.ts'
import { ApiError, invalidRequest, missingParameter } from './api-error.ts'
import { type Operation, ok } from './call.ts'
import type { FormTree } from './form.ts'
import { integerOf, onlyKnown, optionalText, requiredText } from './parameters.ts'
import { newId } from './stripe-objects.ts'
import { isReverseCharge, ratesFor, type SimulatedRate } from './tax-rates.ts'

const known = ['currency', 'line_items', 'customer_details', 'tax_date', 'expand']
const knownOfLine = ['amount', 'reference', 'tax_behavior', 'tax_code']
const knownOfCustomer = ['address', 'address_source', 'tax_ids', 'taxability_override']
const linesMost = 100
const daysAroundNow = 31
const secondsPerDay = 86_400

type Place = { country: string; state: string; untaxed: 'customer_exempt' | 'reverse_charge' | undefined }

/** https://docs.stripe.com/api/tax/calculations/create; nothing is kept but the answer, under its idempotency key. */
export const createTaxCalculation: Operation = (call) => {
  const { params } = call
  onlyKnown(params, known)
  const currency = requiredText(params, 'currency')
  const place = placeOf(params)
  const taxDate = taxDateOf(params, call.now)
  const lines = items(params, 'line_items').map((line, index) => lineOf(line, index, place))
  if (lines.length === 0) throw missingParameter('line_items')
  if (lines.length > linesMost)
    throw invalidRequest(`You can pass up to ${linesMost} line items.`, { param: 'line_items' })
  const sum = (behavior: string, pick: (line: (typeof lines)[number]) => number) =>
    lines.filter((line) => line.tax_behavior === behavior).reduce((total, line) => total + pick(line), 0)
  const exclusive = sum('exclusive', (line) => line.amount_tax)
  return ok({
    id: newId('taxcalc'),
    object: 'tax.calculation',
    currency,
    livemode: false,
    tax_date: taxDate,
    amount_total: lines.reduce((total, { amount }) => total + amount, 0) + exclusive,
    tax_amount_exclusive: exclusive,
    tax_amount_inclusive: sum('inclusive', (line) => line.amount_tax),
    line_items: { object: 'list', data: lines, has_more: false, url: '/v1/tax/calculations/line_items' },
  })
}

function placeOf(params: FormTree): Place {
  const customer = branch(params, 'customer_details')
  onlyKnown(customer, knownOfCustomer)
  const address = branch(customer, 'address')
  const country = requiredText(address, 'country')
  const state = optionalText(address, 'state') ?? ''
  // Stripe needs to know where in a country of many rates somebody lives.
  if (!/^[A-Z]{2}$/.test(country) || ((country === 'US' || country === 'CA') && state === ''))
    throw new ApiError(
      400,
      {
        type: 'invalid_request_error',
        code: 'customer_tax_location_invalid',
        message: "We could not determine the customer's tax location based on the provided customer address.",
        param: 'customer_details[address]',
      },
      { executed: false },
    )
  const override = optionalText(customer, 'taxability_override') ?? 'none'
  const ids = items(customer, 'tax_ids').map((id) => requiredText(id, 'type'))
  if (override === 'customer_exempt' || override === 'reverse_charge')
    return { country, state, untaxed: override }
  return { country, state, untaxed: isReverseCharge(country, ids) ? 'reverse_charge' : undefined }
}

function taxDateOf(params: FormTree, now: number): number {
  const text = optionalText(params, 'tax_date')
  const date = text === undefined ? now : integerOf(text, 'tax_date')
  if (Math.abs(date - now) <= daysAroundNow * secondsPerDay) return date
  throw invalidRequest(`tax_date must be within ${daysAroundNow} days of now.`, { param: 'tax_date' })
}

function lineOf(line: FormTree, index: number, place: Place) {
  onlyKnown(line, knownOfLine)
  const amount = integerOf(requiredText(line, 'amount'), `line_items[${index}][amount]`)
  if (amount < 1)
    throw invalidRequest('This value must be greater than or equal to 1.', {
      param: `line_items[${index}][amount]`,
    })
  const taxCode = optionalText(line, 'tax_code') ?? 'txcd_10000000'
  const behavior = optionalText(line, 'tax_behavior') ?? 'exclusive'
  const breakdown = breakdownOf(amount, behavior === 'inclusive', taxCode, place)
  return {
    id: newId('tax_li'),
    object: 'tax.calculation_line_item',
    amount,
    amount_tax: breakdown.reduce((sum, each) => sum + each.amount, 0),
    livemode: false,
    metadata: null,
    performance_location: null,
    product: null,
    quantity: 1,
    reference: optionalText(line, 'reference') ?? `L${index + 1}`,
    tax_behavior: behavior,
    tax_code: taxCode,
    tax_breakdown: breakdown,
  }
}

function breakdownOf(amount: number, inclusive: boolean, taxCode: string, place: Place) {
  const rates = ratesFor(place.country, place.state, taxCode)
  const country = { country: place.country, state: '', level: 'country', name: place.country } as const
  if (place.untaxed !== undefined || rates.length === 0)
    return [entry(country, 0, null, amount, place.untaxed ?? 'not_collecting')]
  const rateSum = rates.reduce((sum, { percent }) => sum + micropercent(decimal(percent)), 0n)
  return rates.map((rate) => {
    const numerator = BigInt(amount) * micropercent(decimal(rate.percent))
    const tax = divideHalfAwayFromZero(numerator, hundredPercent + (inclusive ? rateSum : 0n))
    return entry(
      rate,
      Number(tax),
      rate,
      amount,
      rate.taxCode === undefined ? 'standard_rated' : 'reduced_rated',
    )
  })
}

const micropercentPlaces = 6
const hundredPercent = 100n * powerOfTen(micropercentPlaces)

const micropercent = ({ coefficient, scale }: Decimal): bigint =>
  coefficient * powerOfTen(micropercentPlaces - scale)

const entry = (
  place: Pick<SimulatedRate, 'country' | 'state' | 'level' | 'name'>,
  amount: number,
  rate: SimulatedRate | null,
  taxable: number,
  reason: string,
) => ({
  amount,
  jurisdiction: {
    country: place.country,
    display_name: place.name,
    level: place.level,
    state: place.state === '' ? null : place.state,
  },
  sourcing: 'destination',
  tax_rate_details:
    rate === null ? null : { display_name: rate.type, percentage_decimal: rate.percent, tax_type: rate.type },
  taxability_reason: reason,
  taxable_amount: rate === null ? 0 : taxable,
})

function branch(params: FormTree, name: string): FormTree {
  const value = params[name]
  if (value === undefined || typeof value === 'string') throw missingParameter(name)
  return value
}

function items(params: FormTree, name: string): FormTree[] {
  const value = params[name]
  if (value === undefined || value === '') return []
  if (typeof value === 'string') throw invalidRequest(`Invalid array: ${name}.`, { param: name })
  return Object.values(value).map((item, index) => {
    if (typeof item === 'string') throw invalidRequest(`Invalid hash: ${name}[${index}].`, { param: name })
    return item
  })
}
