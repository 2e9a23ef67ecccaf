import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Address, TaxId } from '@tidemark/schemas/catalogue-fields.ts'
import type { TaxExemption } from '@tidemark/schemas/customer.ts'
import { readSeller } from '../catalogue/seller-store.ts'
import type { TaxRequest } from './port.ts'

/** Who sells and who buys, as a request for tax names them. */
export type TaxParties = {
  readonly seller: TaxRequest['seller']
  /** By the customer's key. */
  readonly customers: ReadonlyMap<string, TaxRequest['customer']>
}

export async function readTaxParties(
  queryable: Queryable,
  tenant: string,
  customers: readonly string[],
): Promise<TaxParties> {
  const { rows } = await queryable.query<{
    key: string
    address: Address | null
    tax_id: TaxId | null
    tax_exemption: TaxExemption
  }>(
    'SELECT key, address, tax_id, tax_exemption FROM billing.customers WHERE tenant = $1 AND key = ANY($2)',
    [tenant, [...new Set(customers)]],
  )
  const found = await readSeller(queryable, tenant)
  return {
    seller: found && { country: found.seller.address.country, taxIds: found.seller.taxIds },
    customers: new Map(
      rows.map(({ key, address, tax_id, tax_exemption }) => [
        key,
        { address: address ?? undefined, taxId: tax_id ?? undefined, exemption: tax_exemption },
      ]),
    ),
  }
}
