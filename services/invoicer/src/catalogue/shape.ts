import {
  type Catalogue,
  type CatalogueFault,
  catalogueSchema,
  isPriceModel,
  priceModels,
  priceSchemas,
} from '@tidemark/schemas/catalogue.ts'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { TLocalizedValidationError } from 'typebox/error'

const { meters, plans, customers, subscriptions } = catalogueSchema.properties
const plan = plans.items

// A union would answer for one bad field with the faults of every model; so a price is checked by the model it names.
const loosePrice = Type.Object({ model: Type.Enum([...priceModels]) })
const outer = Compile(
  Type.Object(
    {
      meters,
      plans: Type.Optional(
        Type.Array(
          Type.Object(
            {
              ...plan.properties,
              prices: Type.Array(loosePrice, { minItems: 1, maxItems: 100 }),
            },
            { additionalProperties: false },
          ),
          { maxItems: 100_000 },
        ),
      ),
      customers,
      subscriptions,
    },
    { additionalProperties: false },
  ),
)
const whole = Compile(catalogueSchema)
const prices = {
  flat: Compile(priceSchemas.flat),
  'per-unit': Compile(priceSchemas['per-unit']),
  graduated: Compile(priceSchemas.graduated),
}

/** Reads a catalogue from JSON of unknown origin: all faults of its shape at once, each with its path. */
export function readCatalogue(value: unknown): { catalogue: Catalogue } | { faults: CatalogueFault[] } {
  if (whole.Check(value)) return { catalogue: value }
  const faults = [...faultsOf(outer.Errors(value), ''), ...priceFaults(value)]
  return { faults }
}

function priceFaults(value: unknown): CatalogueFault[] {
  return itemsAt(value, 'plans').flatMap((each, planIndex) =>
    itemsAt(each, 'prices').flatMap((price, index) => {
      const model = fieldAt(price, 'model')
      if (!isPriceModel(model)) return []
      return faultsOf(prices[model].Errors(price), `/plans/${planIndex}/prices/${index}`)
    }),
  )
}

const fieldAt = (value: unknown, field: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined

const itemsAt = (value: unknown, field: string): unknown[] => {
  const items = fieldAt(value, field)
  return Array.isArray(items) ? items : []
}

function faultsOf(errors: readonly TLocalizedValidationError[], root: string): CatalogueFault[] {
  return errors
    .filter(({ keyword }) => keyword !== 'boolean')
    .flatMap((error) => {
      const at = root + error.instancePath
      if (error.keyword === 'required')
        return error.params.requiredProperties.map((name) => ({
          path: pathOf(`${at}/${name}`),
          reason: 'is missing',
        }))
      if (error.keyword === 'additionalProperties')
        return error.params.additionalProperties.map((name) => ({
          path: pathOf(`${at}/${name}`),
          reason: 'is not a field that is known here; remove it or mend its name',
        }))
      const allowed =
        error.keyword === 'enum' ? `: use one of ${error.params.allowedValues.map(String).join(', ')}` : ''
      return [{ path: pathOf(at), reason: error.message + allowed }]
    })
}

/** `/plans/0/prices/2/meter` as people write it: `plans[0].prices[2].meter`. */
export function pathOf(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part) => {
      if (/^\d+$/.test(part)) return `${path}[${part}]`
      return path === '' ? part : `${path}.${part}`
    }, '')
}
