import type { Address, TaxId } from '@tidemark/schemas/catalogue-fields.ts'
import type { Customer, TaxExemption } from '@tidemark/schemas/customer.ts'
import { isCurrency } from '@tidemark/schemas/money.ts'

/** A customer without subjects, in one form: what a file may say in two ways is said in one here. */
export type CustomerItem = Omit<Customer, 'subjects'>

export type CustomerRow = {
  key: string
  name: string
  email: string
  address: Address | null
  currency: string
  time_zone: string
  tax_id: TaxId | null
  tax_exemption: TaxExemption
  due_days: number | null
  home_region: string | null
  processor_customer_id: string | null
  payment_method_id: string | null
  processor_customer_ids: Record<string, string> | null
  metadata: Record<string, string> | null
}

/** The columns of a customer, each with its type in a set of JSON records. */
const columns = {
  key: 'text',
  name: 'text',
  email: 'text',
  address: 'jsonb',
  currency: 'text',
  time_zone: 'text',
  tax_id: 'jsonb',
  tax_exemption: 'text',
  due_days: 'smallint',
  home_region: 'text',
  processor_customer_id: 'text',
  payment_method_id: 'text',
  processor_customer_ids: 'jsonb',
  metadata: 'jsonb',
} as const satisfies Record<keyof CustomerRow, string>

export const customerColumns = Object.keys(columns).join(', ')
export const customerRecord = Object.entries(columns)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ')
export const customerUpdates = Object.keys(columns)
  .filter((name) => name !== 'key')
  .map((name) => `${name} = excluded.${name}`)
  .join(', ')

export function customerOf(row: CustomerRow): CustomerItem {
  if (!isCurrency(row.currency)) throw new RangeError(`"${row.currency}" is no currency of the table`)
  return {
    key: row.key,
    name: row.name,
    email: row.email,
    ...(row.address === null ? {} : { address: row.address }),
    currency: row.currency,
    timeZone: row.time_zone,
    ...(row.tax_id === null ? {} : { taxId: row.tax_id }),
    ...(row.tax_exemption === 'none' ? {} : { taxExemption: row.tax_exemption }),
    ...(row.due_days === null ? {} : { paymentTerms: { dueDays: row.due_days } }),
    ...(row.home_region === null ? {} : { homeRegion: row.home_region }),
    ...(row.processor_customer_id === null ? {} : { processorCustomerId: row.processor_customer_id }),
    ...(row.payment_method_id === null ? {} : { paymentMethodId: row.payment_method_id }),
    ...(row.processor_customer_ids === null ? {} : { processorCustomerIds: row.processor_customer_ids }),
    ...(row.metadata === null ? {} : { metadata: row.metadata }),
  }
}

export const rowOf = (customer: CustomerItem): CustomerRow => ({
  key: customer.key,
  name: customer.name,
  email: customer.email,
  address: customer.address ?? null,
  currency: customer.currency,
  time_zone: customer.timeZone,
  tax_id: customer.taxId ?? null,
  tax_exemption: customer.taxExemption ?? 'none',
  due_days: customer.paymentTerms?.dueDays ?? null,
  home_region: customer.homeRegion ?? null,
  processor_customer_id: customer.processorCustomerId ?? customer.processorCustomerIds?.stripe ?? null,
  payment_method_id: customer.paymentMethodId ?? null,
  processor_customer_ids: otherProcessors(customer),
  metadata: customer.metadata && Object.keys(customer.metadata).length > 0 ? customer.metadata : null,
})

/** Payments go by Stripe; its id has a field of its own. */
function otherProcessors({ processorCustomerIds = {} }: CustomerItem): Record<string, string> | null {
  const { stripe: _, ...others } = processorCustomerIds
  return Object.keys(others).length > 0 ? others : null
}

/** The one form: as it would be read again. */
export const normalized = (customer: CustomerItem): CustomerItem => customerOf(rowOf(customer))
