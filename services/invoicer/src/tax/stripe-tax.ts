import { Failure } from '@tidemark/infra/process/failure.ts'
import {
  type TaxCalculator,
  type TaxedReference,
  type TaxFinding,
  type TaxQuestion,
  taxApiVersion,
  taxLinesMost,
} from '@tidemark/infra/stripe/tax-calculator.ts'
import { decimal } from '@tidemark/schemas/decimal.ts'
import { type Currency, microsOfMinorUnits, minorUnits } from '@tidemark/schemas/money.ts'
import type { LineTax, TaxReason } from '../pricing/priced-invoice.ts'
import { type TaxedLine, type TaxProvider, TaxRefused, type TaxRequest, TaxUnavailable } from './port.ts'

/**
 * Stripe Tax as a provider: its amounts are taken as they are. It takes positive amounts only, so that credits are asked
 * for by themselves and their taxes turned round; a line of nothing bears none and is not asked for.
 */
export function createStripeTax(calculator: TaxCalculator): TaxProvider {
  const version = `1/${taxApiVersion}`
  return {
    name: 'stripe',
    version,
    async calculate(request) {
      const { lines } = request
      const charges = lines.filter(({ netMicros }) => netMicros > 0n)
      const credits = lines.filter(({ netMicros }) => netMicros < 0n)
      const taxes = new Map([
        ...(await ask(calculator, request, charges, 1n)),
        ...(await ask(calculator, request, credits, -1n)),
      ])
      return {
        provider: 'stripe',
        version,
        lines: lines.map(({ id }) => ({ id, taxes: taxes.get(id) ?? [] })),
      }
    },
  }
}

async function ask(
  calculator: TaxCalculator,
  request: TaxRequest,
  lines: readonly TaxedLine[],
  sign: 1n | -1n,
): Promise<Map<string, LineTax[]>> {
  const taxes = new Map<string, LineTax[]>()
  for (let at = 0; at < lines.length; at += taxLinesMost) {
    const slice = lines.slice(at, at + taxLinesMost)
    const found = await answerOf(calculator, questionOf(request, slice, at, sign))
    for (const [index, { id }] of slice.entries()) {
      const line = found.find(({ reference }) => reference === String(at + index))
      if (!line) throw new TaxUnavailable(`Stripe Tax has left out line "${id}" of its answer.`, undefined)
      taxes.set(id, taxesOf(line.findings, request.currency, sign))
    }
  }
  return taxes
}

async function answerOf(calculator: TaxCalculator, question: TaxQuestion): Promise<TaxedReference[]> {
  try {
    return await calculator.calculate(question)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    if (error.retryable) throw new TaxUnavailable(`Stripe Tax does not answer: ${error.message}`, error)
    throw new TaxRefused(`Stripe Tax refuses the request: ${error.message}`, error)
  }
}

function questionOf(
  request: TaxRequest,
  lines: readonly TaxedLine[],
  at: number,
  sign: 1n | -1n,
): TaxQuestion {
  const { customer, currency, date, taxInclusive, idempotencyKey } = request
  if (customer.address === undefined)
    throw new TaxRefused(
      'The customer has no address, and Stripe Tax needs one: PUT the customer with its country at least.',
    )
  return {
    name: idempotencyKey,
    currency,
    taxDate: Math.floor(Date.parse(date) / 1000),
    inclusive: taxInclusive,
    address: customer.address,
    taxIds: customer.taxId === undefined ? [] : [customer.taxId],
    override: overrides[customer.exemption],
    // Ids of lines are the catalogue's and may be longer than what a reference may be.
    lines: lines.map(({ netMicros, taxCode }, index) => ({
      reference: String(at + index),
      amountMinor: minorUnits(netMicros * sign, currency),
      taxCode,
    })),
  }
}

const overrides = { none: 'none', exempt: 'customer_exempt', reverse: 'reverse_charge' } as const

/** Findings of one jurisdiction, level and rate are one tax. */
function taxesOf(findings: readonly TaxFinding[], currency: Currency, sign: 1n | -1n): LineTax[] {
  return [...Map.groupBy(findings, idOf)].flatMap(([id, same]) => {
    const [first] = same
    if (!first) return []
    const reason = reasonOf(first)
    const amountMinor = same.reduce((sum, finding) => sum + finding.amountMinor, 0n)
    return [
      {
        id,
        rate: decimal(first.rate),
        amountMicros: microsOfMinorUnits(amountMinor, currency) * sign,
        ...(reason === undefined ? {} : { reason }),
      },
    ]
  })
}

/** One id stands for one rate: `vat-DE-19`, `sales_tax-US-NY-city-New York City-4.875`. */
function idOf(finding: TaxFinding): string {
  const { country, state, level, name } = finding.jurisdiction
  const reason = reasonOf(finding)
  // What is exempt in part keeps a rate, which may be another one for each line.
  if (reason !== undefined)
    return decimal(finding.rate).coefficient === 0n ? reason : `${reason}-${finding.rate}`
  const place = level === 'country' ? [country] : [country, state, level, name]
  return [finding.type, ...place, finding.rate].join('-')
}

const reverseReasons = ['reverse_charge']
const exemptReasons = [
  'customer_exempt',
  'product_exempt',
  'product_exempt_holiday',
  'portion_product_exempt',
]

/** Why a finding bears no tax; undefined for one that does, be it at a rate of nothing. */
function reasonOf({ reason, rate }: TaxFinding): TaxReason | undefined {
  if (reverseReasons.includes(reason)) return 'reverse_charge'
  if (exemptReasons.includes(reason)) return 'exempt'
  return decimal(rate).coefficient === 0n && reason !== 'zero_rated' ? 'not_collecting' : undefined
}
