import { decimal, zero } from '@tidemark/schemas/decimal.ts'
import type { LineTax, TaxReason } from '../pricing/priced-invoice.ts'
import { isInEuropeanUnion } from './european-union.ts'
import { type TaxedLine, type TaxProvider, TaxRefused, type TaxRequest } from './port.ts'
import { ratesOn, type TaxRate } from './tax-rate.ts'

/**
 * The tenant's own rates as a provider: pure, it asks nobody. Amounts are left to the invoice's own rounding.
 *
 * Where a customer is decides: rates of the country and region, of each tax the most specific. Inside of the EU a
 * business of another country with a VAT id owes the tax itself; a private customer of a country that the tenant has no
 * rate for pays the seller's (Directive 2006/112/EC, Articles 196 and 59c). Elsewhere without a rate there is no tax.
 */
export function createFixedRates(rates: readonly TaxRate[]): TaxProvider {
  return {
    name: 'fixed',
    version: '1',
    calculate: async (request) => {
      const inForce = ratesOn(rates, request.date)
      return {
        provider: 'fixed',
        version: '1',
        lines: request.lines.map((line) => ({ id: line.id, taxes: taxesOf(line, request, inForce) })),
      }
    },
  }
}

function taxesOf(line: TaxedLine, request: TaxRequest, rates: readonly TaxRate[]): LineTax[] {
  const reason = untaxedBecause(request)
  if (reason !== undefined) return [{ id: reason, rate: zero, reason }]
  const chosen = line.taxes ? named(line, line.taxes, request, rates) : applicable(line, request, rates)
  return chosen.map(({ id, percent }) => ({ id, rate: decimal(percent) }))
}

function untaxedBecause({ seller, customer }: TaxRequest): TaxReason | undefined {
  if (customer.exemption === 'exempt') return 'exempt'
  if (customer.exemption === 'reverse') return 'reverse_charge'
  const country = customer.address?.country
  if (seller === undefined || country === undefined || country === seller.country) return undefined
  const isBusiness = customer.taxId?.type === 'eu_vat'
  return isBusiness && isInEuropeanUnion(seller.country) && isInEuropeanUnion(country)
    ? 'reverse_charge'
    : undefined
}

/** A price that names its rates is taxed by these alone, wherever the customer is. */
function named(
  line: TaxedLine,
  ids: readonly string[],
  { date }: TaxRequest,
  rates: readonly TaxRate[],
): TaxRate[] {
  return ids.map((id) => {
    const rate = rates.find((each) => each.id === id)
    if (rate) return rate
    throw new TaxRefused(
      `Line "${line.id}" names the tax rate "${id}", and none of that id is in force on ${date}: PUT /v1/tax/rates with one, or publish a version of the plan without it.`,
    )
  })
}

function applicable(line: TaxedLine, request: TaxRequest, rates: readonly TaxRate[]): TaxRate[] {
  const home = request.seller?.country
  const country = request.customer.address?.country ?? home
  const region = request.customer.address?.country === undefined ? undefined : request.customer.address.region
  const found = mostSpecific(line, country, region, rates)
  if (found.some((rate) => rate.country !== undefined)) return found
  const isUnionSale =
    home !== undefined && country !== undefined && isInEuropeanUnion(home) && isInEuropeanUnion(country)
  return isUnionSale && country !== home ? mostSpecific(line, home, undefined, rates) : found
}

/** Of each tax one rate: that of the line's tax code before that of the region before that of the country. */
function mostSpecific(
  { taxCode }: TaxedLine,
  country: string | undefined,
  region: string | undefined,
  rates: readonly TaxRate[],
): TaxRate[] {
  const matching = rates.filter(
    (rate) =>
      (rate.country === undefined || rate.country === country) &&
      (rate.region === undefined || rate.region === region) &&
      (rate.taxCode === undefined || rate.taxCode === taxCode),
  )
  return [...Map.groupBy(matching, ({ tax }) => tax).values()].flatMap((ofTax) =>
    ofTax.toSorted((a, b) => specificity(b) - specificity(a) || (a.id < b.id ? -1 : 1)).slice(0, 1),
  )
}

const specificity = ({ taxCode, region, country }: TaxRate): number =>
  (taxCode === undefined ? 0 : 4) + (region === undefined ? 0 : 2) + (country === undefined ? 0 : 1)
