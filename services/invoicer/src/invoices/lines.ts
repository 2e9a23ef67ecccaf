import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Invoice } from './invoice.ts'

export type StoredLine = {
  readonly price: string
  readonly model: string
  readonly description: string
  readonly meter: string | null
  readonly meterVersion: number | null
  /** Decimal text. */
  readonly quantity: string | null
  readonly amountMicros: bigint
  readonly serviceStart: string
  readonly serviceEnd: string
}

/** The lines of an invoice in their order. */
export async function readLines(
  queryable: Queryable,
  { id, issuedOn }: Pick<Invoice, 'id' | 'issuedOn'>,
): Promise<StoredLine[]> {
  const { rows } = await queryable.query<StoredLine>(
    `SELECT price, model, description, meter, meter_version AS "meterVersion", quantity,
       amount_micros AS "amountMicros", service_start AS "serviceStart", service_end AS "serviceEnd"
     FROM billing.invoice_lines WHERE invoice_id = $1 AND issued_on = $2 ORDER BY position`,
    [id, issuedOn],
  )
  return rows
}
