import { invalidRequest } from './api-error.ts'
import type { FormTree } from './form.ts'
import { integerOf, optionalText } from './parameters.ts'

export const listParameters = ['limit', 'starting_after', 'ending_before'] as const

/**
 * One page of objects given oldest first, answered newest first, with Stripe's cursors
 * (https://docs.stripe.com/api/pagination): limit 1 to 100, 10 if it is not sent.
 */
export function listPage<T extends { id: string }>(oldestFirst: T[], params: FormTree, url: string) {
  const limitText = optionalText(params, 'limit')
  const limit = limitText === undefined ? 10 : integerOf(limitText, 'limit')
  if (limit < 1 || limit > 100) throw invalidRequest('limit must be between 1 and 100.', { param: 'limit' })
  const newestFirst = oldestFirst.toReversed()
  const after = optionalText(params, 'starting_after')
  const before = optionalText(params, 'ending_before')
  if (after !== undefined && before !== undefined) {
    throw invalidRequest('Send starting_after or ending_before, not both.', { param: 'starting_after' })
  }
  if (before !== undefined) {
    const end = positionOf(newestFirst, before, 'ending_before')
    const start = Math.max(0, end - limit)
    return { object: 'list', data: newestFirst.slice(start, end), has_more: start > 0, url }
  }
  const start = after === undefined ? 0 : positionOf(newestFirst, after, 'starting_after') + 1
  const data = newestFirst.slice(start, start + limit)
  return { object: 'list', data, has_more: start + limit < newestFirst.length, url }
}

function positionOf(items: { id: string }[], id: string, param: string): number {
  const position = items.findIndex((item) => item.id === id)
  if (position >= 0) return position
  throw invalidRequest(`No such object in this list: '${id}'`, { param, code: 'resource_missing' })
}
