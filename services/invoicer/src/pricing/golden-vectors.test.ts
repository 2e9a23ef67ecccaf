import { readFileSync } from 'node:fs'
import { compare, decimal, formatDecimal, parseDecimal, round } from '@tidemark/schemas/decimal.ts'
import { describe, expect, test } from 'vitest'
import { previewKindNames, previewPricing } from './preview/preview.ts'

type Vector = { id: string; kind: string; expected: Record<string, unknown> }

const file = new URL('../../golden/pricing-vectors.json', import.meta.url)
const { vectors }: { vectors: Vector[] } = JSON.parse(readFileSync(file, 'utf8'))

test('the file is whole and nothing in it is left out', () => {
  expect(vectors).toHaveLength(264)
  expect([...new Set(vectors.map(({ kind }) => kind))].toSorted()).toEqual([...previewKindNames].toSorted())
})

describe.each(previewKindNames)('%s', (name) => {
  test.each(vectors.filter(({ kind }) => kind === name))('$id', (vector) => {
    const previewed = previewPricing(vector)
    if ('faults' in previewed) throw new Error(JSON.stringify(previewed.faults))
    const { answer } = previewed
    expect(answer.trace.length).toBeGreaterThan(vector.kind === 'plan-change' ? -1 : 0)
    const { rounded, decimals, ...expected } = vector.expected
    const places = typeof decimals === 'string' ? Number(decimals) : undefined
    const asked = rounded === false ? { ...answer, amount: answer.exactAmount } : answer
    for (const [field, value] of Object.entries(expected)) {
      const isPrinted = field === 'factor' || field === 'unitAmount'
      agree(asked[field], value, isPrinted ? placesOf(value) : places, field)
    }
  })
})

/** Holds an answer against what is expected of it, decimals as decimals; what is not expected is not looked at. */
function agree(actual: unknown, expected: unknown, places: number | undefined, at: string): void {
  if (Array.isArray(expected)) agreeLists(actual, expected, places, at)
  else if (typeof expected === 'object' && expected !== null)
    for (const [name, value] of Object.entries(expected))
      agree(fieldOf(actual, name), value, places, `${at}.${name}`)
  else expect(asPrinted(actual, expected, places), at).toBe(expected)
}

/** The actual value as the file would print it, if it is the same decimal. */
function asPrinted(actual: unknown, expected: unknown, places: number | undefined): unknown {
  const wanted = typeof expected === 'string' ? parseDecimal(expected) : undefined
  const found = typeof actual === 'string' ? parseDecimal(actual) : undefined
  if (wanted === undefined || found === undefined) return actual
  const rounded = places === undefined ? found : round(found, places)
  return compare(rounded, wanted) === 0 ? expected : formatDecimal(rounded)
}

/** Items with an id, or a tier, are found by it: a list may be expected in part. */
function agreeLists(
  actual: unknown,
  expected: readonly unknown[],
  places: number | undefined,
  at: string,
): void {
  if (!Array.isArray(actual)) throw new Error(`${at} is ${JSON.stringify(actual)}, no list`)
  const name = ['id', 'tier'].find((each) => fieldOf(expected[0], each) !== undefined)
  if (name === undefined) expect(actual, at).toHaveLength(expected.length)
  for (const [index, item] of expected.entries()) {
    const found =
      name === undefined ? actual[index] : actual.find((each) => fieldOf(each, name) === fieldOf(item, name))
    agree(found, item, places, `${at}[${index}]`)
  }
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined

const placesOf = (value: unknown): number => (typeof value === 'string' ? decimal(value).scale : 0)
