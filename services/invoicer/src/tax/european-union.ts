/** Members of the EU's VAT area, ISO 3166-1. Source: Council Directive 2006/112/EC, Articles 5 to 7; members as of 2020. */
const members = new Set(
  'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' '),
)

export const isInEuropeanUnion = (country: string): boolean => members.has(country)
