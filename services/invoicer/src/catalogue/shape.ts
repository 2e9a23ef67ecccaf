import { explainPatterns } from '@tidemark/infra/process/pattern-reason.ts'
import { type Catalogue, type CatalogueFault, catalogueSchema } from '@tidemark/schemas/catalogue.ts'
import { isPriceModel, priceModels, priceSchemas } from '@tidemark/schemas/price.ts'
import { type TObject, type TSchema, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { TLocalizedValidationError } from 'typebox/error'

const { plans, addOns } = catalogueSchema.properties
const closed = { additionalProperties: false }

// A union would answer for one bad field with the faults of every model; so a price is checked by the model it names.
const loosePrices = Type.Array(Type.Object({ model: Type.Enum([...priceModels]) }), {
  minItems: 1,
  maxItems: 100,
})
const withLoosePrices = (item: TObject): TSchema =>
  Type.Optional(
    Type.Array(Type.Object({ ...item.properties, prices: loosePrices }, closed), { maxItems: 100_000 }),
  )
const outer = Compile(
  Type.Object(
    {
      ...catalogueSchema.properties,
      plans: withLoosePrices(plans.items),
      addOns: withLoosePrices(addOns.items),
    },
    closed,
  ),
)
const whole = Compile(catalogueSchema)
const prices = new Map(priceModels.map((model) => [model, compilePrice(priceSchemas[model])]))

function compilePrice(schema: TSchema) {
  const validator = Compile(schema)
  return (price: unknown) => explainPatterns(schema, validator.Errors(price))
}

/** Reads a catalogue from JSON of unknown origin: all faults of its shape at once, each with its path. */
export function readCatalogue(value: unknown): { catalogue: Catalogue } | { faults: CatalogueFault[] } {
  if (whole.Check(value)) return { catalogue: value }
  const errors = explainPatterns(outer.Type(), outer.Errors(value))
  const faults = [...faultsOf(errors, ''), ...priceFaults(value)]
  return { faults }
}

function priceFaults(value: unknown): CatalogueFault[] {
  return ['plans', 'addOns'].flatMap((noun) =>
    itemsAt(value, noun).flatMap((each, itemIndex) =>
      itemsAt(each, 'prices').flatMap((price, index) => {
        const model = fieldAt(price, 'model')
        if (!isPriceModel(model)) return []
        return faultsOf(prices.get(model)?.(price) ?? [], `/${noun}/${itemIndex}/prices/${index}`)
      }),
    ),
  )
}

const fieldAt = (value: unknown, field: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined

const itemsAt = (value: unknown, field: string): unknown[] => {
  const items = fieldAt(value, field)
  return Array.isArray(items) ? items : []
}

function faultsOf(errors: readonly TLocalizedValidationError[], root: string): CatalogueFault[] {
  const told = errors.filter(({ keyword }) => keyword !== 'boolean')
  return [...Map.groupBy(told, ({ instancePath }) => instancePath)].flatMap(([pointer, some]) => {
    const path = pathOf(root + pointer)
    if (some.every(({ keyword }) => keyword !== 'anyOf')) return some.flatMap((error) => faultOf(error, path))
    // One value may be of several kinds; what each of them asks for is one fault.
    const reasons = some.filter(({ keyword }) => keyword !== 'anyOf').map(reasonOf)
    return [{ path, reason: reasons.join(' or ') }]
  })
}

function faultOf(error: TLocalizedValidationError, path: string): CatalogueFault[] {
  const inside = (name: string) => (path === '' ? name : `${path}.${name}`)
  if (error.keyword === 'required')
    return error.params.requiredProperties.map((name) => ({ path: inside(name), reason: 'is missing' }))
  if (error.keyword === 'additionalProperties')
    return error.params.additionalProperties.map((name) => ({
      path: inside(name),
      reason: 'is not a field that is known here; remove it or mend its name',
    }))
  return [{ path, reason: reasonOf(error) }]
}

function reasonOf(error: TLocalizedValidationError): string {
  // In YAML an amount without quotes is a number, which would lose its digits.
  if (error.keyword === 'type' && error.params.type === 'string') return 'must be text, in quotes'
  if (error.keyword !== 'enum') return error.message
  return `${error.message}: use one of ${error.params.allowedValues.map(String).join(', ')}`
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
