import type { DemoCustomer, DemoPlan, DemoPrice, DemoTenant } from './company.ts'
import type { PlannedEvent, Traffic } from './traffic.ts'

/**
 * What must come out, computed by arithmetic of its own on whole numbers: nothing of Tidemark's pricing, periods or
 * counting is used here, so that agreement means something.
 */
export type Expectation = {
  events: { sent: number; accepted: number; duplicate: number; rejected: number; ledger: number; raw: number }
  invoices: ExpectedInvoice[]
}

export type ExpectedInvoice = { customer: DemoCustomer; totalMicros: bigint }

export function expect(tenants: readonly DemoTenant[], traffic: Traffic): Expectation {
  const everything = [...traffic.http, ...traffic.kafka, ...traffic.late]
  const seen = new Set<string>()
  const quantities = new Map<string, bigint>()
  let duplicate = 0
  let rejected = 0
  for (const each of everything) {
    const identity = `${each.tenant} ${each.event.source} ${each.event.id}`
    if (!each.usage) rejected++
    else if (seen.has(identity)) duplicate++
    else {
      seen.add(identity)
      addUsage(quantities, each.usage)
    }
  }
  const accepted = seen.size
  const invoices = tenants.flatMap((tenant) =>
    tenant.customers.map((customer) => expectInvoice(tenant, customer, quantities)),
  )
  return {
    events: {
      sent: everything.length,
      accepted,
      duplicate,
      rejected,
      ledger: accepted + duplicate,
      raw: accepted,
    },
    invoices,
  }
}

function addUsage(quantities: Map<string, bigint>, usage: NonNullable<PlannedEvent['usage']>): void {
  if (!usage.closed || usage.customer === undefined) return
  const cell = `${usage.customer} ${usage.meter}`
  quantities.set(cell, (quantities.get(cell) ?? 0n) + usage.thousandths)
}

function expectInvoice(
  tenant: DemoTenant,
  customer: DemoCustomer,
  quantities: Map<string, bigint>,
): ExpectedInvoice {
  const plan = tenant.plans.find(({ id }) => id === customer.plan)
  if (!plan) throw new Error(`no plan ${customer.plan}`)
  const totalMicros = plan.prices.reduce((sum, price) => {
    const usage = price.model === 'flat' ? 0n : (quantities.get(`${customer.key} ${price.meter}`) ?? 0n)
    return sum + lineMicros(plan, price, usage)
  }, 0n)
  return { customer, totalMicros }
}

// Amounts are counted in units of 1e-12: thousandths of a unit times prices of up to nine decimals.
const perUnit = 10n ** 12n
const pico = (text: string, scale: number): bigint => {
  const [integer = '0', fraction = ''] = text.split('.')
  return BigInt(integer + fraction.padEnd(scale, '0'))
}

function lineMicros(plan: DemoPlan, price: DemoPrice, thousandths: bigint): bigint {
  if (price.model === 'flat') return toMinor(pico(price.amount, 12), plan)
  if (price.model === 'per-unit') return toMinor(thousandths * pico(price.unitPrice, 9), plan)
  let below = 0n
  let amount = 0n
  for (const tier of price.tiers) {
    const bound = tier.upTo === null ? undefined : pico(tier.upTo, 3)
    const top = bound === undefined || thousandths < bound ? thousandths : bound
    if (top > below) amount += (top - below) * pico(tier.unitPrice, 9) + pico(tier.flatFee ?? '0', 12)
    if (bound === undefined || thousandths <= bound) break
    below = bound
  }
  return toMinor(amount, plan)
}

/** Half up to the cent (no amount here is negative), answered in micro-units. */
function toMinor(picoAmount: bigint, plan: DemoPlan): bigint {
  const minor = plan.currency === 'JPY' ? perUnit : perUnit / 100n
  return (((picoAmount * 2n + minor) / (minor * 2n)) * minor) / 1_000_000n
}
