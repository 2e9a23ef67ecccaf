import type { Catalogue, CatalogueFault } from '@tidemark/schemas/catalogue.ts'
import type { Known } from './known.ts'
import { newSubscriptions } from './new-subscriptions.ts'
import { twice } from './repeated.ts'

/** Unknown customers and plans, other currencies, changes, and usage that two subscriptions would bill. */
export const subscriptionFaults = (catalogue: Catalogue, known: Known): CatalogueFault[] => [
  ...twice(catalogue.subscriptions ?? [], 'subscriptions', 'key', ({ key }) => key),
  ...newSubscriptions(catalogue, known).faults,
]
