import type { Catalogue, CatalogueFault } from '@tidemark/schemas/catalogue.ts'
import { meterFault } from '@tidemark/schemas/meter.ts'
import { couponFaults } from './coupon-faults.ts'
import { customerFaults } from './customer-faults.ts'
import type { Known } from './known.ts'
import { addOnFaults, planFaults } from './plan-faults.ts'
import { twice } from './repeated.ts'
import { exchangeRateFaults, sellerFaults } from './seller-faults.ts'
import { subjectFaults } from './subject-faults.ts'
import { subscriptionFaults } from './subscription-faults.ts'

/** Everything that is wrong with a catalogue of the right shape; meters that it brings itself count as known. */
export function catalogueFaults(catalogue: Catalogue, known: Known): CatalogueFault[] {
  const brought = (catalogue.meters ?? []).map((meter) => [meter.key, meter] as const)
  const meters = new Map([...known.meters, ...brought])
  return [
    ...sellerFaults(catalogue),
    ...exchangeRateFaults(catalogue),
    ...meterFaults(catalogue),
    ...planFaults(catalogue, known, meters),
    ...addOnFaults(catalogue, known, meters),
    ...couponFaults(catalogue, known),
    ...customerFaults(catalogue, known),
    ...subjectFaults(catalogue, known),
    ...subscriptionFaults(catalogue, known),
  ]
}

function meterFaults({ meters = [] }: Catalogue): CatalogueFault[] {
  return [
    ...twice(meters, 'meters', 'key', ({ key }) => key),
    ...meters.flatMap((meter, index) => {
      const fault = meterFault(meter)
      if (fault === undefined) return []
      // As the aggregator's faults are named, so that what both say is said once.
      const field = fault.field.replaceAll(/\.(\d+)/g, '[$1]')
      return [{ path: `meters[${index}].${field}`, reason: fault.reason }]
    }),
  ]
}
