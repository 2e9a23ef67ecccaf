import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Invoice } from './invoice.ts'

export type StoredLine = {
  readonly kind: string
  readonly price: string
  readonly model: string
  readonly description: string
  /** The plan or add-on whose price it is. */
  readonly source: string | null
  readonly sourceId: string | null
  readonly sourceVersion: number | null
  readonly meter: string | null
  readonly meterVersion: number | null
  /** Decimal text. */
  readonly quantity: string | null
  readonly amountMicros: bigint
  /** Its share of what a maximum takes off: zero or less. */
  readonly capMicros: bigint
  readonly discountMicros: bigint
  readonly netMicros: bigint
  readonly taxMicros: bigint
  readonly serviceStart: string
  readonly serviceEnd: string
}

/** The lines of an invoice in their order. */
export async function readLines(
  queryable: Queryable,
  { id, issuedOn }: Pick<Invoice, 'id' | 'issuedOn'>,
): Promise<StoredLine[]> {
  const { rows } = await queryable.query<StoredLine>(
    `SELECT kind, price, model, description, source, source_id AS "sourceId", source_version AS "sourceVersion",
       meter, meter_version AS "meterVersion", quantity, amount_micros AS "amountMicros", cap_micros AS "capMicros",
       discount_micros AS "discountMicros", net_micros AS "netMicros", tax_micros AS "taxMicros", service_start AS "serviceStart", service_end AS "serviceEnd"
     FROM billing.invoice_lines WHERE invoice_id = $1 AND issued_on = $2 ORDER BY position`,
    [id, issuedOn],
  )
  return rows
}
