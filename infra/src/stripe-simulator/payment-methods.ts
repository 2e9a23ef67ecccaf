import type { StoredMethod } from './accounts.ts'
import { ApiError, invalidRequest, notFound } from './api-error.ts'
import { type Call, type Operation, ok } from './call.ts'
import { customerOf } from './customers.ts'
import { listPage, listParameters } from './lists.ts'
import { onlyKnown, optionalText, requiredText } from './parameters.ts'
import { newId, type PaymentMethod } from './stripe-objects.ts'
import { findTestMethod, type TestMethod, testMethodIds } from './test-methods.ts'

/** https://docs.stripe.com/api/payment_methods, with the test ids of https://docs.stripe.com/testing. */
export const retrievePaymentMethod: Operation = (call) => ok(methodOf(call, call.id, 'id').object)

/** A test id is a template: attaching it makes a payment method with an id of its own. */
export const attachPaymentMethod: Operation = (call) => {
  onlyKnown(call.params, ['customer'])
  const customerId = requiredText(call.params, 'customer')
  const stored = methodOf(call, call.id, 'id')
  const owner = stored.object.customer
  if (owner !== null && owner !== customerId) {
    throw new ApiError(
      400,
      {
        type: 'invalid_request_error',
        message: 'The payment method you provided has already been attached to a customer.',
      },
      { executed: true },
    )
  }
  const object = { ...stored.object, customer: customerOf(call, customerId, 'customer').id }
  return ok(object, [{ kind: 'method', value: { ...stored, object } }])
}

/** https://docs.stripe.com/api/payment_methods/detach */
export const detachPaymentMethod: Operation = (call) => {
  onlyKnown(call.params, [])
  const stored = methodOf(call, call.id, 'id')
  const object = { ...stored.object, customer: null }
  return ok(object, [{ kind: 'method', value: { ...stored, object } }])
}

export const listPaymentMethods: Operation = (call) => {
  onlyKnown(call.params, [...listParameters, 'customer', 'type'])
  const customer = customerOf(call, requiredText(call.params, 'customer'), 'customer')
  return ok(listPage(methodsOf(call, customer.id), call.params, '/v1/payment_methods'))
}

export const listCustomerPaymentMethods: Operation = (call) => {
  onlyKnown(call.params, [...listParameters, 'type'])
  const customer = customerOf(call, call.id, 'customer')
  return ok(
    listPage(methodsOf(call, customer.id), call.params, `/v1/customers/${customer.id}/payment_methods`),
  )
}

/** A stored payment method, or a new one made from a test id; the caller decides whether to store it. */
export function methodOf(call: Call, id: string, param: string): StoredMethod {
  const stored = call.account.methods.get(id)
  if (stored !== undefined) return stored
  const test = findTestMethod(id)
  if (test !== undefined) return fromTest(id, test, call.now)
  if (!id.includes('_card_') && !id.includes('_usBankAccount_')) throw notFound('PaymentMethod', id, param)
  throw invalidRequest(`The simulator does not know ${id}. It knows: ${testMethodIds().join(', ')}.`, {
    param,
    code: 'resource_missing',
  })
}

function methodsOf(call: Call, customerId: string): PaymentMethod[] {
  const type = optionalText(call.params, 'type')
  return [...call.account.methods.values()]
    .map((stored) => stored.object)
    .filter((method) => method.customer === customerId && (type === undefined || method.type === type))
}

function fromTest(testId: string, test: TestMethod, now: number): StoredMethod {
  const id = newId('pm')
  const common = {
    id,
    object: 'payment_method' as const,
    created: now,
    livemode: false as const,
    customer: null,
    metadata: {},
  }
  const object: PaymentMethod =
    test.type === 'card'
      ? {
          ...common,
          type: 'card',
          card: { brand: test.brand, last4: test.last4, exp_month: 12, exp_year: 2040, funding: 'credit' },
        }
      : {
          ...common,
          type: 'us_bank_account',
          us_bank_account: { last4: test.last4, bank_name: test.brand },
        }
  return { id, testId, object }
}
