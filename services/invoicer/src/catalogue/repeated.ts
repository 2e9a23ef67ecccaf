import type { CatalogueFault } from '@tidemark/schemas/catalogue.ts'

/** Every item whose key an earlier one has. */
export function twice<Item>(
  items: readonly Item[],
  path: string,
  field: string,
  key: (item: Item) => string,
): CatalogueFault[] {
  const seen = new Map<string, number>()
  return items.flatMap((item, index) => {
    const first = seen.get(key(item))
    if (first === undefined) seen.set(key(item), index)
    return first === undefined
      ? []
      : [
          {
            path: `${path}[${index}].${field}`,
            reason: `"${key(item)}" stands already in ${path}[${first}]; each needs its own`,
          },
        ]
  })
}
