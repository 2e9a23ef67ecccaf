import type { Json } from '@tidemark/schemas/canonical-json.ts'
import type { Catalogue } from '@tidemark/schemas/catalogue.ts'
import type { VersionState } from '@tidemark/schemas/plan.ts'
import { offerOf } from '../subscriptions/offer-store.ts'
import type { Offer, Offers } from '../subscriptions/offers.ts'
import type { Known, KnownVersions } from './known.ts'
import { sha256Of, versionChange } from './version-changes.ts'

type Versioned = { readonly [key: string]: Json } & { readonly id: string }
type Brought<Item> = { readonly item: Item; readonly state: VersionState | undefined }

/** What may be subscribed to once the catalogue is applied: what it brings before what is there. */
export function offersAfter({ plans = [], addOns = [] }: Catalogue, known: Known): Offers {
  const broughtPlans = new Map(plans.map(({ state, ...item }) => [item.id, { item, state }]))
  const broughtAddOns = new Map(addOns.map(({ state, ...item }) => [item.id, { item, state }]))
  return {
    plan: (id) => offerAfter('plan', id, broughtPlans.get(id), known.plans.get(id)),
    addOn: (id) => offerAfter('add-on', id, broughtAddOns.get(id), known.addOns.get(id)),
  }
}

function offerAfter<Item extends Versioned>(
  kind: 'plan' | 'add-on',
  id: string,
  brought: Brought<Item> | undefined,
  known: KnownVersions<Item> | undefined,
): Offer<Item> {
  if (!brought || brought.state === 'draft')
    return brought && !known ? `${kind} "${id}" is only a draft; publish it first` : offerOf(kind, id, known)
  const { state, item } = brought
  const released = known?.released
  const isAsReleased = released?.state === 'deprecated' && sha256Of(item) === released.sha256
  if (state === 'deprecated' || isAsReleased)
    return `${kind} "${id}" is deprecated: subscriptions that have it go on, others need another one`
  const version = versionChange(item, state, known)?.version ?? released?.version ?? 1
  return { version, item }
}
