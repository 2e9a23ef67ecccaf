import { HttpProblem } from '@tidemark/infra/process/problem.ts'
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

/** For a cursor that no page has ended with. */
export function wrongCursor(): HttpProblem {
  const reason = 'must be the nextCursor of the page before'
  return new HttpProblem({
    status: 400,
    code: 'invalid_request',
    detail: `The query is not as expected: cursor ${reason}.`,
    extensions: { errors: [{ field: 'cursor', reason }] },
  })
}
