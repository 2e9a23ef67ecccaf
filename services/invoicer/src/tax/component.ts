import { createStripeTaxCalculator } from '@tidemark/infra/stripe/tax-calculator.ts'
import type { InvoicerConfig } from '../config.ts'
import { createTaxCalculations, type TaxCalculations, type TaxDeps } from './calculations.ts'
import { createStripeTax } from './stripe-tax.ts'

/** The providers that need a configuration, and the calculations over all of them. */
export function createTaxes(
  config: InvoicerConfig,
  deps: Omit<TaxDeps, 'stripe' | 'concurrency'>,
): TaxCalculations {
  const calculator = createStripeTaxCalculator({
    secretKey: config.STRIPE_SECRET_KEY,
    apiUrl: config.STRIPE_API_URL,
    timeoutMs: config.INVOICER_TAX_TIMEOUT_MS,
  })
  return createTaxCalculations({
    ...deps,
    stripe: createStripeTax(calculator),
    concurrency: config.INVOICER_TAX_CONCURRENCY,
  })
}
