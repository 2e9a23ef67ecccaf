import type { Catalogue, CatalogueFault } from '@tidemark/schemas/catalogue.ts'
import { meterFault } from '@tidemark/schemas/meter.ts'
import { customerFaults } from './customer-faults.ts'
import type { Known } from './known.ts'
import { planFaults, twice } from './plan-faults.ts'
import { subscriptionFaults } from './subscription-faults.ts'

/** Everything that is wrong with a catalogue of the right shape; meters that it brings itself count as known. */
export function catalogueFaults(catalogue: Catalogue, known: Known): CatalogueFault[] {
  const brought = (catalogue.meters ?? []).map(({ key, aggregation }) => [key, aggregation] as const)
  const meters = new Map([...known.meters, ...brought])
  return [
    ...meterFaults(catalogue),
    ...planFaults(catalogue, meters),
    ...customerFaults(catalogue, known),
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
