import type { Operation } from './call.ts'
import { listCharges, retrieveCharge } from './charges.ts'
import { createCustomer, listCustomers, retrieveCustomer, updateCustomer } from './customers.ts'
import { listEvents, retrieveEvent } from './events.ts'
import {
  cancelPaymentIntent,
  confirmPaymentIntent,
  createPaymentIntent,
  listPaymentIntents,
  retrievePaymentIntent,
  settlePaymentIntent,
} from './payment-intents.ts'
import {
  attachPaymentMethod,
  detachPaymentMethod,
  listCustomerPaymentMethods,
  listPaymentMethods,
  retrievePaymentMethod,
} from './payment-methods.ts'
import { createTaxCalculation } from './tax-calculations.ts'

export type Route = { method: 'GET' | 'POST'; path: string; operation: Operation }

/** Everything that the simulator knows of Stripe's API. The last one is not Stripe's. */
export const routes: Route[] = [
  { method: 'POST', path: '/v1/customers', operation: createCustomer },
  { method: 'GET', path: '/v1/customers', operation: listCustomers },
  { method: 'GET', path: '/v1/customers/:id', operation: retrieveCustomer },
  { method: 'POST', path: '/v1/customers/:id', operation: updateCustomer },
  { method: 'GET', path: '/v1/customers/:id/payment_methods', operation: listCustomerPaymentMethods },
  { method: 'GET', path: '/v1/payment_methods', operation: listPaymentMethods },
  { method: 'GET', path: '/v1/payment_methods/:id', operation: retrievePaymentMethod },
  { method: 'POST', path: '/v1/payment_methods/:id/attach', operation: attachPaymentMethod },
  { method: 'POST', path: '/v1/payment_methods/:id/detach', operation: detachPaymentMethod },
  { method: 'POST', path: '/v1/payment_intents', operation: createPaymentIntent },
  { method: 'GET', path: '/v1/payment_intents', operation: listPaymentIntents },
  { method: 'GET', path: '/v1/payment_intents/:id', operation: retrievePaymentIntent },
  { method: 'POST', path: '/v1/payment_intents/:id/confirm', operation: confirmPaymentIntent },
  { method: 'POST', path: '/v1/payment_intents/:id/cancel', operation: cancelPaymentIntent },
  { method: 'GET', path: '/v1/charges', operation: listCharges },
  { method: 'GET', path: '/v1/charges/:id', operation: retrieveCharge },
  { method: 'POST', path: '/v1/tax/calculations', operation: createTaxCalculation },
  { method: 'GET', path: '/v1/events', operation: listEvents },
  { method: 'GET', path: '/v1/events/:id', operation: retrieveEvent },
  { method: 'POST', path: '/_simulator/payment_intents/:id/settle', operation: settlePaymentIntent },
]
