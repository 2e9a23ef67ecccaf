import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { differences, type Vector } from './expected-fields.ts'
import { previewKindNames, previewPricing } from './preview/preview.ts'

const file = new URL('../../golden/pricing-vectors.json', import.meta.url)
const { vectors }: { vectors: Vector[] } = JSON.parse(readFileSync(file, 'utf8'))

function answerOf(vector: Vector) {
  const previewed = previewPricing(vector)
  if ('faults' in previewed) throw new Error(JSON.stringify(previewed.faults))
  return previewed.answer
}

test('the file is whole and nothing in it is left out', () => {
  expect(vectors).toHaveLength(264)
  expect([...new Set(vectors.map(({ kind }) => kind))].toSorted()).toEqual([...previewKindNames].toSorted())
})

test('another answer than the expected one is noticed in every vector', () => {
  for (const vector of vectors) {
    const answer = answerOf(vector)
    for (const field of Object.keys(vector.expected).filter(
      (name) => name !== 'rounded' && name !== 'decimals',
    )) {
      const isEmpty = JSON.stringify(vector.expected[field]) === '[]'
      const other = { ...answer, [field]: isEmpty ? ['1'] : undefined, exactAmount: undefined }
      expect(differences(other, vector), `${vector.id} ${field}`).not.toEqual([])
    }
  }
})

describe.each(previewKindNames)('%s', (name) => {
  test.each(vectors.filter(({ kind }) => kind === name))('$id', (vector) => {
    expect(differences(answerOf(vector), vector)).toEqual([])
  })
})

describe('docs/pricing.md', () => {
  const page = readFileSync(new URL('../../../../docs/pricing.md', import.meta.url), 'utf8')
  const examples = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(
    ([, text = '']): Vector => JSON.parse(text),
  )

  test('has an example of every kind', () => {
    expect(new Set(examples.map(({ kind }) => kind))).toEqual(new Set(previewKindNames))
  })

  test.each(examples)('$kind $expected', (example) => {
    expect(Object.keys(example.expected).length).toBeGreaterThan(0)
    expect(differences(answerOf(example), example)).toEqual([])
  })
})
