import { compare, decimal, formatDecimal, parseDecimal, round } from '@tidemark/schemas/decimal.ts'

/** A calculation with what its answer must hold, in the golden file's form; docs/pricing.md has more of them. */
export type Vector = {
  readonly id: string
  readonly kind: string
  readonly expected: Readonly<Record<string, unknown>>
}

/**
 * Where an answer is not as expected, in words; empty when it is. Decimals are compared as decimals, lists of things with an
 * id (or a tier) by it, and what is not expected is not looked at.
 */
export function differences(answer: Readonly<Record<string, unknown>>, { expected }: Vector): string[] {
  const { rounded, decimals, ...fields } = expected
  const places = typeof decimals === 'string' ? Number(decimals) : undefined
  const asked = rounded === false ? { ...answer, amount: answer.exactAmount } : answer
  return Object.entries(fields).flatMap(([field, value]) => {
    // These two are printed with as many places as the file has room for.
    const isPrinted = field === 'factor' || field === 'unitAmount'
    return compareValues(fieldOf(asked, field), value, isPrinted ? placesOf(value) : places, field)
  })
}

function compareValues(actual: unknown, expected: unknown, places: number | undefined, at: string): string[] {
  if (Array.isArray(expected)) return compareLists(actual, expected, places, at)
  if (typeof expected === 'object' && expected !== null)
    return Object.entries(expected).flatMap(([name, value]) =>
      compareValues(fieldOf(actual, name), value, places, `${at}.${name}`),
    )
  const shown = asPrinted(actual, expected, places)
  return shown === expected ? [] : [`${at} is ${JSON.stringify(shown)}, not ${JSON.stringify(expected)}`]
}

function compareLists(
  actual: unknown,
  expected: readonly unknown[],
  places: number | undefined,
  at: string,
): string[] {
  if (!Array.isArray(actual)) return [`${at} is no list`]
  const name = ['id', 'tier'].find((each) => fieldOf(expected[0], each) !== undefined)
  if (name === undefined && actual.length !== expected.length)
    return [`${at} has ${actual.length} items, not ${expected.length}`]
  return expected.flatMap((item, index) => {
    const found =
      name === undefined ? actual[index] : actual.find((each) => fieldOf(each, name) === fieldOf(item, name))
    return compareValues(found, item, places, `${at}[${index}]`)
  })
}

/** The actual value as it is expected, if it is the same decimal. */
function asPrinted(actual: unknown, expected: unknown, places: number | undefined): unknown {
  const wanted = typeof expected === 'string' ? parseDecimal(expected) : undefined
  const found = typeof actual === 'string' ? parseDecimal(actual) : undefined
  if (wanted === undefined || found === undefined) return actual
  const rounded = places === undefined ? found : round(found, places)
  return compare(rounded, wanted) === 0 ? expected : formatDecimal(rounded)
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined

const placesOf = (value: unknown): number => (typeof value === 'string' ? decimal(value).scale : 0)
