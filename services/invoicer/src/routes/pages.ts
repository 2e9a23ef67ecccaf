import { Type } from 'typebox'

/** Query parameters of every list. */
export const pageParameters = {
  cursor: Type.String({ default: '', maxLength: 300, description: 'nextCursor of the page before' }),
  limit: Type.Integer({ default: 100, minimum: 1, maximum: 1000 }),
}

/** A page out of one item more than it may have; that one only says that there is a next page. */
export function pageOf<Item, Shown>(
  found: readonly Item[],
  limit: number,
  cursorOf: (item: Item) => string,
  show: (item: Item) => Shown,
): { items: Shown[]; nextCursor: string | null } {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return {
    items: items.map(show),
    nextCursor: found.length > limit && last !== undefined ? cursorOf(last) : null,
  }
}
