import { readFileSync } from 'node:fs'
import { Value } from 'typebox/value'
import { expect, test } from 'vitest'
import { aggregations, type Meter, meterFault, meterSchema } from './meter.ts'

const meter = (fields: Partial<Meter>): Meter => ({ key: 'm', eventType: 'x', aggregation: 'sum', ...fields })

test.each<Partial<Meter>>([
  { aggregation: 'count' },
  { aggregation: 'sum', valuePath: 'bytes', rounding: { mode: 'ceil', precision: 0 } },
  { aggregation: 'unique-count', valuePath: 'user' },
  { aggregation: 'time-weighted-sum', valuePath: 'bytes', values: 'levels', initialValue: '5' },
  { aggregation: 'time-weighted-max', valuePath: 'bytes', values: 'changes' },
  { aggregation: 'prorated-sum', valuePath: 'seats', initialValue: '5' },
])('a sound meter: %j', (fields) => {
  expect(meterFault(meter(fields))).toBeUndefined()
})

test.each<[Partial<Meter>, string, RegExp]>([
  [{ aggregation: 'count', valuePath: 'bytes' }, 'valuePath', /leave it out/],
  [{ aggregation: 'sum' }, 'valuePath', /such as bytes/],
  [{ aggregation: 'unique-count' }, 'valuePath', /such as user/],
  [{ aggregation: 'time-weighted-sum', valuePath: 'bytes' }, 'values', /changes when .* levels when/],
  [{ aggregation: 'average', valuePath: 'bytes', values: 'levels' }, 'values', /leave it out for average/],
  [
    { aggregation: 'latest', valuePath: 'bytes', initialValue: '1' },
    'initialValue',
    /leave it out for latest/,
  ],
])('what is wrong with a meter is said by field: %j', (fields, field, reason) => {
  const fault = meterFault(meter(fields))
  expect(fault?.field).toBe(field)
  expect(fault?.reason).toMatch(reason)
})

test('every example of the documentation is a sound meter, and every aggregation is told', () => {
  const page = readFileSync(new URL('../../docs/meters.md', import.meta.url), 'utf8')
  const examples = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, text]) => JSON.parse(text ?? ''))
  for (const example of examples) {
    expect(Value.Check(meterSchema, example), example.key).toBe(true)
    expect(meterFault(example)).toBeUndefined()
  }
  for (const aggregation of aggregations) expect(page).toContain(`**${aggregation}**`)
})
