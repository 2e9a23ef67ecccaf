import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import type { Metrics } from '@tidemark/infra/process/metrics.ts'
import { Counter } from 'prom-client'
import type { TaxAnswer } from '../pricing/priced-invoice.ts'
import { taxRequestSha256 } from './calculation-json.ts'
import { readCalculations, storeCalculations } from './calculation-store.ts'
import { createFixedRates } from './fixed-rates.ts'
import {
  type TaxProvider,
  type TaxProviderName,
  TaxRefused,
  type TaxRequest,
  TaxUnavailable,
} from './port.ts'
import { readTaxRates } from './rate-store.ts'
import { providerOn, readTaxSettings } from './settings-store.ts'
import { untaxed } from './untaxed.ts'

/** A request with its answer: both are stored, and are inputs of the invoice and of its certificate. */
export type TaxCalculation = {
  readonly request: TaxRequest
  /** Of the request's canonical JSON. */
  readonly requestSha256: string
  readonly answer: TaxAnswer
}

/** A failure of one request leaves the others answered. */
export type TaxOutcome =
  | { readonly calculation: TaxCalculation }
  | { readonly failure: TaxUnavailable | TaxRefused }

export type TaxCalculations = {
  /** For invoices that open: one outcome for each request, in their order. What was calculated before is answered as it is stored. */
  calculate(tenant: string, requests: readonly TaxRequest[]): Promise<TaxOutcome[]>
  /** For previews: the same answers, of which new ones are not stored. */
  estimate(tenant: string, requests: readonly TaxRequest[]): Promise<TaxOutcome[]>
}

export type TaxDeps = {
  readonly pool: Pool
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly stripe: TaxProvider
  /** Questions to a provider over the network that are under way at a time. */
  readonly concurrency: number
}

type Hashed = { readonly request: TaxRequest; readonly requestSha256: string }

/**
 * Asks the tenant's provider of the request's date. A change of provider, of rates or of an address touches new
 * calculations only: the same key and content is never asked twice once it has been answered.
 */
export function createTaxCalculations(deps: TaxDeps): TaxCalculations {
  const { pool, clock, log } = deps
  const outcomes = new Counter({
    name: 'tidemark_tax_calculations_total',
    help: 'Questions about tax, by provider and outcome: answered, unavailable or refused',
    labelNames: ['provider', 'outcome'],
    registers: [deps.metrics],
  })

  async function ask(provider: TaxProvider, { request, requestSha256 }: Hashed): Promise<TaxOutcome> {
    const { name } = provider
    try {
      const answer = await provider.calculate(request)
      outcomes.inc({ provider: name, outcome: 'answered' })
      return { calculation: { request, requestSha256, answer } }
    } catch (error) {
      if (!(error instanceof TaxUnavailable || error instanceof TaxRefused)) throw error
      outcomes.inc({ provider: name, outcome: error instanceof TaxUnavailable ? 'unavailable' : 'refused' })
      const { tenant, idempotencyKey } = request
      log.error({ tenant, key: idempotencyKey, provider: name, err: error }, 'An invoice waits for its tax')
      return { failure: error }
    }
  }

  /** While the provider is away every question would wait its whole time: after some that did, the rest is not asked. */
  async function askAll(provider: TaxProvider, asked: readonly Hashed[]): Promise<TaxOutcome[]> {
    const answered: TaxOutcome[] = []
    for (let at = 0; at < asked.length; at += deps.concurrency) {
      const slice = asked.slice(at, at + deps.concurrency)
      const told = await Promise.all(slice.map((each) => ask(provider, each)))
      answered.push(...told)
      const away = told.every((each) => 'failure' in each && each.failure instanceof TaxUnavailable)
      const [first] = told
      if (away && first) answered.push(...asked.slice(at + slice.length).map(() => first))
      if (away) break
    }
    return answered
  }

  async function askProviders(tenant: string, asked: readonly Hashed[]): Promise<Map<Hashed, TaxOutcome>> {
    const settings = await readTaxSettings(pool, tenant)
    const groups = Map.groupBy(asked, ({ request }) => providerOn(settings, request.date))
    const told = new Map<Hashed, TaxOutcome>()
    for (const [name, group] of groups) {
      const found = await askAll(await providerOf(name, tenant), group)
      for (const [index, outcome] of found.entries()) {
        const each = group[index]
        if (each) told.set(each, outcome)
      }
    }
    return told
  }

  const providerOf = async (name: TaxProviderName, tenant: string): Promise<TaxProvider> => {
    if (name === 'none') return untaxed
    return name === 'stripe' ? deps.stripe : createFixedRates((await readTaxRates(pool, tenant)).rates)
  }

  async function run(tenant: string, requests: readonly TaxRequest[], keep: boolean): Promise<TaxOutcome[]> {
    const hashed = requests.map((request) => ({ request, requestSha256: taxRequestSha256(request) }))
    const known = await readCalculations(pool, tenant, hashed)
    const unknown = hashed.filter((_, index) => known[index] === undefined)
    const told = unknown.length === 0 ? new Map<Hashed, TaxOutcome>() : await askProviders(tenant, unknown)
    const calculated = [...told.values()].flatMap((each) => ('calculation' in each ? [each.calculation] : []))
    if (keep) await storeCalculations(pool, tenant, calculated, clock.nowMicros())
    // Of two that asked at once the first answer counts for both.
    const stored = keep ? await readCalculations(pool, tenant, hashed) : known
    return hashed.map((each, index): TaxOutcome => {
      const answer = stored[index]
      if (answer) return { calculation: { ...each, answer } }
      const outcome = told.get(each)
      if (!outcome) throw new Error(`no outcome of the calculation "${each.request.idempotencyKey}"`)
      return outcome
    })
  }

  return {
    calculate: (tenant, requests) => run(tenant, requests, true),
    estimate: (tenant, requests) => run(tenant, requests, false),
  }
}
