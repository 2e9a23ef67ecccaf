import type { Customer } from '@tidemark/schemas/customer.ts'
import { formatInstant, type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'
import type { Mapping } from './known.ts'

export const instantOr = (text: string | undefined, otherwise: Micros1970): Micros1970 =>
  text === undefined ? otherwise : (parseInstant(text) ?? otherwise)

/** The mappings that a customer of a catalogue asks for. */
export const mappingsOf = (customer: Pick<Customer, 'key' | 'subjects'>): Mapping[] =>
  customer.subjects.map(({ key, from, to, subscription }) => ({
    subject: key,
    customer: customer.key,
    from: instantOr(from, -Infinity),
    to: instantOr(to, Infinity),
    ...(subscription === undefined ? {} : { subscription }),
  }))

/** One text for one mapping: to compare by, and to be shown. */
export const mappingText = ({ subject, subscription, from, to }: Mapping): string =>
  [
    subject,
    ...(from === -Infinity ? [] : [`from ${formatInstant(from)}`]),
    ...(to === Infinity ? [] : [`to ${formatInstant(to)}`]),
    ...(subscription === undefined ? [] : [`for ${subscription}`]),
  ].join(' ')
