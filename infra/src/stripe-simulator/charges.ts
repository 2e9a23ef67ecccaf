import { notFound } from './api-error.ts'
import { type Operation, ok } from './call.ts'
import { listPage, listParameters } from './lists.ts'
import { createdFilter, onlyKnown, optionalText } from './parameters.ts'

/** https://docs.stripe.com/api/charges/retrieve */
export const retrieveCharge: Operation = (call) => {
  const charge = call.account.charges.get(call.id)
  if (charge === undefined) throw notFound('charge', call.id, 'id')
  return ok(charge)
}

/** https://docs.stripe.com/api/charges/list */
export const listCharges: Operation = (call) => {
  onlyKnown(call.params, [...listParameters, 'created', 'customer', 'payment_intent'])
  const created = createdFilter(call.params)
  const customer = optionalText(call.params, 'customer')
  const intent = optionalText(call.params, 'payment_intent')
  const matching = [...call.account.charges.values()].filter(
    (charge) =>
      created(charge.created) &&
      (customer === undefined || charge.customer === customer) &&
      (intent === undefined || charge.payment_intent === intent),
  )
  return ok(listPage(matching, call.params, '/v1/charges'))
}
