import type { Change, StoredMethod } from './accounts.ts'
import { checkAmount } from './amounts.ts'
import { invalidRequest, notFound } from './api-error.ts'
import { type Answer, type Call, eventChange, type Operation, ok } from './call.ts'
import { customerOf } from './customers.ts'
import { cancel, confirm, settle, type Transition } from './intent-machine.ts'
import { listPage, listParameters } from './lists.ts'
import {
  createdFilter,
  metadataOf,
  onlyKnown,
  optionalBoolean,
  optionalText,
  requiredInteger,
  requiredText,
} from './parameters.ts'
import { methodOf } from './payment-methods.ts'
import { newId, type PaymentIntent } from './stripe-objects.ts'
import { type Behaviour, findTestMethod } from './test-methods.ts'

/** https://docs.stripe.com/api/payment_intents/create */
export const createPaymentIntent: Operation = (call) => {
  onlyKnown(call.params, [
    'amount',
    'automatic_payment_methods',
    'confirm',
    'currency',
    'customer',
    'description',
    'metadata',
    'off_session',
    'payment_method',
    'payment_method_types',
  ])
  const amount = requiredInteger(call.params, 'amount')
  const currency = requiredText(call.params, 'currency')
  checkAmount(amount, currency)
  const confirmNow = optionalBoolean(call.params, 'confirm')
  const offSession = optionalBoolean(call.params, 'off_session')
  const methodId = optionalText(call.params, 'payment_method')
  if (offSession && !confirmNow) {
    throw invalidRequest('off_session can only be sent together with confirm=true.', { param: 'off_session' })
  }
  if (confirmNow && methodId === undefined) {
    throw invalidRequest('You cannot confirm this PaymentIntent because it is missing a payment method.', {
      param: 'payment_method',
      code: 'parameter_missing',
    })
  }
  const metadata = metadataOf(call.params)
  const customerId = optionalText(call.params, 'customer')
  const customer = customerId === undefined ? null : customerOf(call, customerId, 'customer').id
  const method = methodId === undefined ? undefined : chargeableMethod(call, methodId, customer)
  const id = newId('pi')
  const intent: PaymentIntent = {
    id,
    object: 'payment_intent',
    created: call.now,
    livemode: false,
    amount,
    amount_capturable: 0,
    amount_received: 0,
    currency,
    customer,
    payment_method: method?.id ?? null,
    payment_method_types: [method?.object.type ?? 'card'],
    status: method === undefined ? 'requires_payment_method' : 'requires_confirmation',
    latest_charge: null,
    last_payment_error: null,
    next_action: null,
    capture_method: 'automatic_async',
    confirmation_method: 'automatic',
    client_secret: `${id}_${newId('secret')}`,
    canceled_at: null,
    cancellation_reason: null,
    description: optionalText(call.params, 'description') ?? null,
    metadata,
  }
  const changes: Change[] = [
    ...(method === undefined ? [] : [{ kind: 'method' as const, value: method }]),
    { kind: 'intent', value: intent },
    eventChange(call, 'payment_intent.created', intent),
  ]
  if (!confirmNow || method === undefined) return ok(intent, changes)
  const transition = confirm(intent, { ...chargeableOf(method), offSession, now: call.now })
  return answerOf(call, transition, changes)
}

/** https://docs.stripe.com/api/payment_intents/confirm */
export const confirmPaymentIntent: Operation = (call) => {
  onlyKnown(call.params, ['payment_method', 'off_session'])
  const offSession = optionalBoolean(call.params, 'off_session')
  const intent = intentOf(call)
  const methodId = optionalText(call.params, 'payment_method') ?? intent.payment_method
  if (methodId === null) {
    throw invalidRequest('You cannot confirm this PaymentIntent because it is missing a payment method.', {
      param: 'payment_method',
      code: 'payment_intent_unexpected_state',
    })
  }
  const method = chargeableMethod(call, methodId, intent.customer)
  const transition = confirm(intent, { ...chargeableOf(method), offSession, now: call.now })
  return answerOf(call, transition, [{ kind: 'method', value: method }])
}

/** https://docs.stripe.com/api/payment_intents/cancel */
export const cancelPaymentIntent: Operation = (call) => {
  onlyKnown(call.params, ['cancellation_reason'])
  const reason = optionalText(call.params, 'cancellation_reason') ?? null
  return answerOf(call, cancel(intentOf(call), reason, call.now), [])
}

export const retrievePaymentIntent: Operation = (call) => {
  onlyKnown(call.params, ['client_secret'])
  return ok(intentOf(call))
}

/** https://docs.stripe.com/api/payment_intents/list */
export const listPaymentIntents: Operation = (call) => {
  onlyKnown(call.params, [...listParameters, 'created', 'customer'])
  const created = createdFilter(call.params)
  const customer = optionalText(call.params, 'customer')
  const matching = [...call.account.intents.values()].filter(
    (intent) => created(intent.created) && (customer === undefined || intent.customer === customer),
  )
  return ok(listPage(matching, call.params, '/v1/payment_intents'))
}

/** Not part of Stripe's API: lets a test be the cardholder or the bank. */
export const settlePaymentIntent: Operation = (call) => {
  onlyKnown(call.params, ['outcome'])
  const outcome = optionalText(call.params, 'outcome') ?? 'auto'
  if (outcome !== 'succeeded' && outcome !== 'failed' && outcome !== 'auto') {
    throw invalidRequest(`outcome is ${outcome}; it must be succeeded, failed or auto.`, { param: 'outcome' })
  }
  const intent = intentOf(call)
  const method = methodOf(call, intent.payment_method ?? 'pm_card_visa', 'payment_method')
  const pending = call.account.charges.get(intent.latest_charge ?? '')
  const settled = settle(intent, {
    ...chargeableOf(method),
    outcome,
    pending: pending?.status === 'pending' ? pending : undefined,
    now: call.now,
  })
  return { ...answerOf(call, settled, []), status: 200, body: settled.intent }
}

function answerOf(call: Call, transition: Transition, before: Change[]): Answer {
  const { intent, charge, announce, declined } = transition
  const changes: Change[] = [...before, { kind: 'intent', value: intent }]
  if (charge !== undefined) changes.push({ kind: 'charge', value: charge })
  for (const type of announce) {
    const object = type.startsWith('charge.') && charge !== undefined ? charge : intent
    changes.push(eventChange(call, type, object))
  }
  if (declined !== undefined) return { status: 402, body: { error: declined }, changes }
  return ok(intent, changes)
}

function intentOf(call: Call): PaymentIntent {
  const intent = call.account.intents.get(call.id)
  if (intent === undefined) throw notFound('payment_intent', call.id, 'id')
  return intent
}

/** A method of another customer, or a stored one of nobody for a customer, cannot be charged. */
function chargeableMethod(call: Call, id: string, customer: string | null): StoredMethod {
  const method = methodOf(call, id, 'payment_method')
  const owner = method.object.customer
  if (owner === null || owner === customer) return method
  throw invalidRequest(
    `The PaymentMethod ${id} does not belong to the Customer of this PaymentIntent; send the customer that it is attached to.`,
    { param: 'payment_method' },
  )
}

function chargeableOf(method: StoredMethod): { method: StoredMethod['object']; behaviour: Behaviour } {
  return { method: method.object, behaviour: findTestMethod(method.testId)?.behaviour ?? { kind: 'succeed' } }
}
