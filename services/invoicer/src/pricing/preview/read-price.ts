import type { FieldError } from '@tidemark/infra/process/field-errors.ts'
import type { Currency } from '@tidemark/schemas/money.ts'
import { type Price, priceModels, priceSchemas } from '@tidemark/schemas/price.ts'
import { Type } from 'typebox'
import { unsoundFields } from '../price-faults.ts'
import { checker } from './kind.ts'

/** A price in a body: what else it has depends on its model, whose schema says so field by field. */
export const loosePrice = Type.Object({ model: Type.Enum(priceModels) })

const checks = {
  flat: checker(priceSchemas.flat),
  'per-unit': checker(priceSchemas['per-unit']),
  graduated: checker(priceSchemas.graduated),
  volume: checker(priceSchemas.volume),
  'graduated-percentage': checker(priceSchemas['graduated-percentage']),
  package: checker(priceSchemas.package),
  percentage: checker(priceSchemas.percentage),
  blocks: checker(priceSchemas.blocks),
  capacity: checker(priceSchemas.capacity),
  'graduated-prorated': checker(priceSchemas['graduated-prorated']),
}

/** A price without an id has none to be told apart by, here. */
export function readPrice(
  given: { readonly model: Price['model'] },
  switches: Readonly<Record<string, unknown>>,
  currency: Currency,
): { readonly price: Price } | { readonly faults: readonly FieldError[] } {
  const checked = checks[given.model]({ id: 'price', ...given, ...switches }, 'price')
  if ('faults' in checked) return checked
  const faults = unsoundFields(checked.value, currency)
  if (faults.length === 0) return { price: checked.value }
  // Fields are named with dots in answers, as elsewhere over HTTP.
  return {
    faults: faults.map(({ path, reason }) => ({
      field: `price.${path.replaceAll(/\[(\d+)\]/g, '.$1')}`,
      reason,
    })),
  }
}
