import type { Catalogue, CatalogueFault } from '@tidemark/schemas/catalogue.ts'
import { compare, decimal, zero } from '@tidemark/schemas/decimal.ts'
import { isLocalDate } from '@tidemark/schemas/local-date.ts'
import { exchangeRateKey } from './exchange-rate-store.ts'
import { twice } from './repeated.ts'

/** The seller's tax ids, each once. */
export function sellerFaults({ seller }: Catalogue): CatalogueFault[] {
  return seller ? twice(seller.taxIds, 'seller.taxIds', 'value', ({ type, value }) => `${type} ${value}`) : []
}

export function exchangeRateFaults({ exchangeRates = [] }: Catalogue): CatalogueFault[] {
  return [
    ...twice(exchangeRates, 'exchangeRates', 'on', exchangeRateKey),
    ...exchangeRates.flatMap(({ from, to, on, rate }, index) => {
      const at = `exchangeRates[${index}]`
      const faults: CatalogueFault[] = []
      if (from === to) faults.push({ path: `${at}.to`, reason: `is ${from} too; name another currency` })
      if (compare(decimal(rate), zero) <= 0) faults.push({ path: `${at}.rate`, reason: 'must be above 0' })
      if (!isLocalDate(on))
        faults.push({ path: `${at}.on`, reason: `"${on}" is no date of a calendar such as 2026-11-01` })
      return faults
    }),
  ]
}
