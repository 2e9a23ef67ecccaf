/** A tax of one place, as far as the simulator knows taxes: enough of each kind to be told apart. */
export type SimulatedRate = {
  country: string
  /** Empty: the whole country. */
  state: string
  level: 'country' | 'state' | 'county' | 'city'
  name: string
  type: 'vat' | 'sales_tax' | 'gst' | 'pst' | 'jct'
  percent: string
  /** For lines with this tax code in place of the place's other rates of the type. */
  taxCode?: string
}

const vat = (country: string, name: string, percent: string, taxCode?: string): SimulatedRate => ({
  country,
  state: '',
  level: 'country',
  name,
  type: 'vat',
  percent,
  ...(taxCode === undefined ? {} : { taxCode }),
})

/** Books, by https://docs.stripe.com/tax/tax-codes. */
export const bookTaxCode = 'txcd_35010000'

export const simulatedRates: readonly SimulatedRate[] = [
  vat('AT', 'Austria', '20'),
  vat('DE', 'Germany', '19'),
  vat('DE', 'Germany', '7', bookTaxCode),
  vat('FR', 'France', '20'),
  vat('GB', 'United Kingdom', '20'),
  vat('HU', 'Hungary', '27'),
  { country: 'CA', state: '', level: 'country', name: 'Canada', type: 'gst', percent: '5' },
  { country: 'CA', state: 'BC', level: 'state', name: 'British Columbia', type: 'pst', percent: '7' },
  { country: 'JP', state: '', level: 'country', name: 'Japan', type: 'jct', percent: '10' },
  { country: 'US', state: 'NY', level: 'state', name: 'New York', type: 'sales_tax', percent: '4' },
  { country: 'US', state: 'NY', level: 'city', name: 'New York City', type: 'sales_tax', percent: '4.875' },
]

/** Where the simulated seller has its head office. */
export const headOffice = 'DE'

const unionMembers = 'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(
  ' ',
)

/** Between businesses of two countries of the EU the buyer owes the tax. */
export const isReverseCharge = (country: string, taxIdTypes: readonly string[]): boolean =>
  country !== headOffice && unionMembers.includes(country) && taxIdTypes.includes('eu_vat')

/** Those that a line bears; none where the seller is not registered. */
export function ratesFor(country: string, state: string, taxCode: string): SimulatedRate[] {
  const ofPlace = simulatedRates.filter(
    (rate) => rate.country === country && (rate.state === '' || rate.state === state),
  )
  const special = ofPlace.filter((rate) => rate.taxCode === taxCode)
  return special.length > 0 ? special : ofPlace.filter((rate) => rate.taxCode === undefined)
}
