/** Identities from `from` (inclusive) to `to` (exclusive; undefined: to the end), in hexadecimal. */
export type IdentityRange = { readonly from: string; readonly to: string | undefined }

const hexDigits = 40

/** The first identity whose leading digits are these. */
const lowest = (digits: string): string => digits.padEnd(hexDigits, '0')

/**
 * Divides all identities into ranges of about `rowsPerRange` rows, in the order of the table's key: the tenant's number
 * leads it, then a hash that spreads evenly, so that a large tenant is divided by the hash's first digits.
 * @param tenants in ascending order of their number, eight hexadecimal digits
 */
export function identityRanges(
  tenants: readonly { tenant: string; rows: number }[],
  rowsPerRange: number,
): IdentityRange[] {
  const starts = [lowest('')]
  let held = 0
  for (const { tenant, rows } of tenants) {
    if (held > 0 && held + rows > rowsPerRange) {
      starts.push(lowest(tenant))
      held = 0
    }
    held += rows
    const digits = digitsFor(rows / rowsPerRange)
    for (let part = 1; part < 16 ** digits; part += 1)
      starts.push(lowest(tenant + part.toString(16).padStart(digits, '0').toUpperCase()))
  }
  const distinct = [...new Set(starts)]
  return distinct.map((from, index) => ({ from, to: distinct[index + 1] }))
}

/** Each digit makes sixteen ranges; four are more than any tenant needs. */
const digitsFor = (ranges: number): number =>
  ranges <= 1 ? 0 : Math.min(4, Math.ceil(Math.log(ranges) / Math.log(16)))
