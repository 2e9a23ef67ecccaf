import { notFound } from './api-error.ts'
import { type Operation, ok } from './call.ts'
import { listPage, listParameters } from './lists.ts'
import { createdFilter, onlyKnown, optionalText } from './parameters.ts'

/** https://docs.stripe.com/api/events: what webhooks announced, or should have. */
export const retrieveEvent: Operation = (call) => {
  const event = call.account.events.get(call.id)
  if (event === undefined) throw notFound('event', call.id, 'id')
  return ok(event)
}

export const listEvents: Operation = (call) => {
  onlyKnown(call.params, [...listParameters, 'created', 'type', 'types'])
  const created = createdFilter(call.params)
  const type = optionalText(call.params, 'type')
  const types = call.params.types
  const wanted = typeof types === 'object' ? Object.values(types) : undefined
  const matching = [...call.account.events.values()].filter(
    (event) =>
      created(event.created) &&
      (type === undefined || event.type === type) &&
      (wanted === undefined || wanted.includes(event.type)),
  )
  return ok(listPage(matching, call.params, '/v1/events'))
}
