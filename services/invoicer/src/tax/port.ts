import { Failure } from '@tidemark/infra/process/failure.ts'
import type { Address, TaxId } from '@tidemark/schemas/catalogue-fields.ts'
import type { TaxExemption } from '@tidemark/schemas/customer.ts'
import type { LocalDate } from '@tidemark/schemas/local-date.ts'
import type { Currency, Micros } from '@tidemark/schemas/money.ts'
import type { TaxAnswer } from '../pricing/priced-invoice.ts'

/** What is taxed: an invoice's net lines, who sells and who buys. All that a provider may rest its answer on. */
export type TaxRequest = {
  readonly tenant: string
  /** Names the invoice or preview. The same key and content is the same calculation, asked again. */
  readonly idempotencyKey: string
  readonly currency: Currency
  /** The date whose rates apply: the invoice's, in the customer's zone. */
  readonly date: LocalDate
  /** Whether the lines contain the tax. */
  readonly taxInclusive: boolean
  /** Undefined until the tenant has said who sells. */
  readonly seller: { readonly country: string; readonly taxIds: readonly TaxId[] } | undefined
  readonly customer: {
    readonly address: Address | undefined
    readonly taxId: TaxId | undefined
    readonly exemption: TaxExemption
  }
  readonly lines: readonly TaxedLine[]
}

export type TaxedLine = {
  readonly id: string
  /** Net, or gross where lines contain the tax; negative for credits. */
  readonly netMicros: Micros
  readonly taxCode?: string
  /** The tenant's own rates that the price names: with fixed rates they take the place of the customer's country's. */
  readonly taxes?: readonly string[]
}

/** One way to know taxes. An answer names every line of its request. */
export type TaxProvider = {
  readonly name: TaxProviderName
  /** Of the adapter and of what it speaks; it stands in certificates. */
  readonly version: string
  /** @throws TaxUnavailable when asking again may help, TaxRefused when something has to be mended first */
  calculate(request: TaxRequest): Promise<TaxAnswer>
}

export const taxProviderNames = ['fixed', 'stripe', 'none'] as const
export type TaxProviderName = (typeof taxProviderNames)[number]

/** The provider did not answer: the invoice stays a draft until it does. */
export class TaxUnavailable extends Failure {
  constructor(message: string, cause: unknown) {
    super(message, { code: 'tax_unavailable', retryable: true, cause })
    this.name = 'TaxUnavailable'
  }
}

/** The provider cannot answer this request, however often it is asked: an address, an id or a key has to be mended. */
export class TaxRefused extends Failure {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'tax_refused', retryable: false, cause })
    this.name = 'TaxRefused'
  }
}
