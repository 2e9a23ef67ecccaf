import type { Meter } from '@tidemark/schemas/meter.ts'

/** Why a value could not be read, from its JSON text, and what would be. */
export function unreadableReason({ valuePath, aggregation }: Meter, raw: string): string {
  if (raw === '') return `there is no value at ${valuePath}`
  if (raw === 'null') return `the value at ${valuePath} is null`
  if (raw.startsWith('{')) return `the value at ${valuePath} is an object`
  if (raw.startsWith('[')) return `the value at ${valuePath} is a list`
  if (aggregation === 'unique-count') return `the value at ${valuePath} is no text, number or truth value`
  const text = raw.replace(/^"(.*)"$/s, '$1')
  const [, integer = '', decimals = ''] = /^-?(\d+)(?:\.(\d+))?$/.exec(text) ?? []
  if (integer.length > 29)
    return `${integer.length} integer digits are more than the 29 that are kept exactly`
  if (decimals.length > 9) return `${decimals.length} decimals are more than the 9 that are kept exactly`
  return 'is no plain decimal number such as 12.5 or "12.5"'
}
