import { formatInstant } from '@tidemark/schemas/instant.ts'
import { type Currency, parseMicros } from '@tidemark/schemas/money.ts'
import { ApiError, call, listAll, mapWith, until } from './api.ts'
import type { DemoTenant } from './company.ts'
import { urlOf } from './installation.ts'
import type { FindingCounts } from './legacy.ts'
import { finish, status, step, thousands } from './print.ts'
import { countAttempts, type Stores } from './stores.ts'

export type Keys = ReadonlyMap<string, string>

export type DemoInvoice = {
  tenant: string
  id: string
  number: string
  currency: Currency
  total: string
  state: string
}

const keyOf = (keys: Keys, tenant: string): string => keys.get(tenant) ?? ''

/** Closes the month of every tenant; a close that cannot be complete yet is asked for again. */
export async function closeMonth(tenants: readonly DemoTenant[], keys: Keys): Promise<void> {
  for (const tenant of tenants) {
    const until = formatInstant(Math.max(...tenant.customers.map(({ closed }) => closed.end)))
    const closed = await step(`${tenant.name}: the month closed, priced and certified`, () =>
      closePeriods(keyOf(keys, tenant.id), until),
    )
    finish('✔', `${thousands(closed)} invoices of ${tenant.name}`)
  }
}

function closePeriods(key: string, closeUntil: string): Promise<number> {
  return until('the close', async () => {
    try {
      const body = { until: closeUntil, graceSeconds: 0 }
      const answer: { closed: number } = await call({
        url: `${urlOf('invoicer')}/v1/periods/close`,
        key,
        method: 'POST',
        body,
      })
      return answer.closed
    } catch (error) {
      if (error instanceof ApiError && (error.status === 409 || error.status === 503)) return undefined
      throw error
    }
  })
}

/** Waits until every invoice's payment has an outcome. */
export async function awaitPayments(stores: Stores, invoices: number): Promise<void> {
  const settled = ['succeeded', 'failed', 'requires_action']
  await step('Payments collected', () =>
    until('an outcome of every payment', async () => {
      const attempts = await countAttempts(stores)
      const done = settled.reduce((total, state) => total + (attempts.get(state) ?? 0), 0)
      status(`Payments collected: ${done} of ${invoices}`)
      return done >= invoices ? true : undefined
    }),
  )
}

/** Waits until old and new are compared, and answers the findings by cause over all tenants. */
export async function awaitFindings(keys: Keys, cases: number): Promise<FindingCounts> {
  type Summary = { findings: Record<string, number>; judged: number; waiting: number }
  return until('a judgement of every pair', async () => {
    const summaries = await mapWith<string, Summary>(2, [...keys.values()], (key) =>
      call({ url: `${urlOf('reconciler')}/v1/reconciliation/summary`, key }),
    )
    const count = (...causes: string[]) =>
      summaries.reduce(
        (total, { findings }) => total + causes.reduce((part, cause) => part + (findings[cause] ?? 0), 0),
        0,
      )
    const judged = summaries.reduce((total, summary) => total + summary.judged, 0)
    const waiting = summaries.reduce((total, summary) => total + summary.waiting, 0)
    if (judged < cases || waiting > 0) return undefined
    return {
      exact: count('exact'),
      rounding: count('rounding'),
      missing: count('missing_in_new', 'missing_in_old'),
      unexplained: count('unexplained', 'currency'),
    }
  })
}

export async function listInvoices(keys: Keys): Promise<DemoInvoice[]> {
  const lists = await mapWith(2, [...keys], async ([tenant, key]) => {
    const invoices = await listAll<Omit<DemoInvoice, 'tenant'>>(`${urlOf('invoicer')}/v1/invoices`, key)
    return invoices.map((invoice) => ({ ...invoice, tenant }))
  })
  return lists.flat()
}

/** Has every invoice recomputed from its certificate and the raw events. */
export async function verifyCertificates(
  invoices: readonly DemoInvoice[],
  keys: Keys,
): Promise<{ checked: number; failed: number }> {
  let checked = 0
  const verified = await mapWith(4, invoices, async ({ tenant, id }) => {
    const url = `${urlOf('invoicer')}/v1/invoices/${id}/verify`
    const answer: { verified: boolean } = await call({
      url,
      key: keyOf(keys, tenant),
      method: 'POST',
      body: {},
    })
    status(`Certificates recomputed: ${++checked} of ${invoices.length}`)
    return answer.verified
  })
  return { checked, failed: verified.filter((each) => !each).length }
}

/** Micro-units per currency, as text. */
export function totalsByCurrency(amounts: readonly (readonly [Currency, bigint])[]): Record<string, string> {
  const totals = new Map<Currency, bigint>()
  for (const [currency, micros] of amounts) totals.set(currency, (totals.get(currency) ?? 0n) + micros)
  return Object.fromEntries([...totals].sort().map(([currency, micros]) => [currency, micros.toString()]))
}

export const totalsOfInvoices = (invoices: readonly DemoInvoice[]): Record<string, string> =>
  totalsByCurrency(invoices.map(({ currency, total }) => [currency, parseMicros(total)]))
