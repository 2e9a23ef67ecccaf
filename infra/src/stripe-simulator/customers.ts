import { notFound } from './api-error.ts'
import { type Call, eventChange, type Operation, ok } from './call.ts'
import type { FormTree } from './form.ts'
import { listPage, listParameters } from './lists.ts'
import { createdFilter, metadataOf, onlyKnown, optionalText } from './parameters.ts'
import { type Customer, newId } from './stripe-objects.ts'

/** https://docs.stripe.com/api/customers */
const writable = ['email', 'name', 'description', 'metadata', 'invoice_settings']

export const createCustomer: Operation = (call) => {
  onlyKnown(call.params, writable)
  const customer: Customer = {
    id: newId('cus'),
    object: 'customer',
    created: call.now,
    livemode: false,
    email: optionalText(call.params, 'email') ?? null,
    name: optionalText(call.params, 'name') ?? null,
    description: optionalText(call.params, 'description') ?? null,
    metadata: metadataOf(call.params),
    invoice_settings: { default_payment_method: null },
  }
  return ok(customer, [
    { kind: 'customer', value: customer },
    eventChange(call, 'customer.created', customer),
  ])
}

export const updateCustomer: Operation = (call) => {
  onlyKnown(call.params, writable)
  const before = customerOf(call, call.id, 'id')
  const customer: Customer = {
    ...before,
    email: textOr(call.params, 'email', before.email),
    name: textOr(call.params, 'name', before.name),
    description: textOr(call.params, 'description', before.description),
    metadata: metadataOf(call.params, before.metadata),
    invoice_settings: { default_payment_method: defaultMethodOf(call, before) },
  }
  return ok(customer, [{ kind: 'customer', value: customer }])
}

export const retrieveCustomer: Operation = (call) => ok(customerOf(call, call.id, 'id'))

export const listCustomers: Operation = (call) => {
  onlyKnown(call.params, [...listParameters, 'created', 'email'])
  const created = createdFilter(call.params)
  const email = optionalText(call.params, 'email')
  const matching = [...call.account.customers.values()].filter(
    (customer) => created(customer.created) && (email === undefined || customer.email === email),
  )
  return ok(listPage(matching, call.params, '/v1/customers'))
}

export function customerOf(call: Call, id: string, param: string): Customer {
  const customer = call.account.customers.get(id)
  if (customer === undefined) throw notFound('customer', id, param)
  return customer
}

function defaultMethodOf(call: Call, customer: Customer): string | null {
  const settings = call.params.invoice_settings
  if (settings === undefined || typeof settings === 'string')
    return customer.invoice_settings.default_payment_method
  onlyKnown(settings, ['default_payment_method'])
  const id = optionalText(settings, 'default_payment_method') ?? ''
  if (id === '') return null
  const attached = call.account.methods.get(id)?.object.customer === customer.id
  if (!attached) throw notFound('PaymentMethod', id, 'invoice_settings[default_payment_method]')
  return id
}

/** An empty value clears a field. */
function textOr(params: FormTree, name: string, before: string | null): string | null {
  const text = optionalText(params, name)
  if (text === undefined) return before
  return text === '' ? null : text
}
