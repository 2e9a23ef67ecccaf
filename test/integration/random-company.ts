import fc from 'fast-check'

/** A company of some customers over October 2026, with the changes that it asks for and its usage. */
export type RandomCompany = {
  readonly catalogue: Record<string, unknown>
  readonly subscriptions: readonly Record<string, unknown>[]
  readonly changes: readonly { key: string; operation: string; body: Record<string, unknown> }[]
  readonly events: readonly { type: string; subject: string; time: string; region: string; gb: string }[]
}

const customers = ['a', 'b', 'c']
const planIds = ['p1', 'p2', 'p3']
const regions = ['eu', 'us', 'asia']

/** Few enough instants that events often lie exactly where something begins or ends. */
const instantUntil = (days: number) =>
  fc
    .integer({ min: 0, max: 4 * days })
    .map((quarter) => new Date(Date.UTC(2026, 9, 1, quarter * 6)).toISOString())
const instant = instantUntil(31)

const filter = fc.option(fc.subarray(regions, { minLength: 1 }), { nil: undefined })

const usagePrice = (meter: string) =>
  fc.record({ filter, graduated: fc.boolean() }).map(({ filter: chosen, graduated }) => ({
    id: meter,
    meter,
    ...(chosen === undefined ? {} : { filter: { region: chosen } }),
    ...(graduated
      ? {
          model: 'graduated',
          tiers: [
            { upTo: '3', unitPrice: '2' },
            { upTo: null, unitPrice: '1' },
          ],
        }
      : { model: 'per-unit', unitPrice: '1' }),
  }))

const plan = fc.record({
  trialDays: fc.integer({ min: 0, max: 12 }),
  trialUsage: fc.constantFrom('billed', 'unbilled'),
  pauseUsage: fc.constantFrom('billed', 'unbilled'),
  carryTiers: fc.boolean(),
  interval: fc.constantFrom({ unit: 'month', count: 1 }, { unit: 'week', count: 1 }),
  prices: fc
    .tuple(
      fc.option(usagePrice('calls'), { nil: undefined, freq: 6 }),
      fc.option(usagePrice('gb'), { nil: undefined, freq: 6 }),
    )
    .map((metered) => [
      { id: 'fee', model: 'flat', amount: '10.00' },
      ...metered.filter((price) => price !== undefined),
    ]),
})

const mapping = fc.record({
  from: fc.option(instant, { nil: undefined }),
  to: fc.option(instant, { nil: undefined }),
})

/** Each customer's own subject, and one that may change hands; times that are none are left out. */
function subjectsOf(customer: string, own: { from: string | undefined; to: string | undefined }) {
  const { from, to } = own
  const isTime = from === undefined || to === undefined || from < to
  return [
    { key: `${customer}-always` },
    ...(isTime
      ? [
          {
            key: `${customer}-part`,
            ...(from === undefined ? {} : { from }),
            ...(to === undefined ? {} : { to }),
          },
        ]
      : []),
  ]
}

const change = fc.record({
  key: fc.constantFrom(...customers.flatMap((customer) => [`${customer}1`, `${customer}2`])),
  operation: fc.constantFrom('change', 'pause', 'resume', 'pause', 'resume'),
  plan: fc.constantFrom(...planIds),
  effective: instant,
})

const event = fc.record({
  type: fc.constantFrom('api.request', 'transfer'),
  subject: fc.constantFrom(
    'nobody',
    ...customers.flatMap((customer) => [`${customer}-always`, `${customer}-part`]),
  ),
  time: instant,
  region: fc.constantFrom(...regions),
  gb: fc.integer({ min: 0, max: 5000 }).map((thousandths) => (thousandths / 1000).toFixed(3)),
})

export const randomCompany: fc.Arbitrary<RandomCompany> = fc
  .record({
    plans: fc.tuple(plan, plan, plan),
    mappings: fc.tuple(mapping, mapping, mapping),
    zones: fc.tuple(...customers.map(() => fc.constantFrom('UTC', 'Asia/Kathmandu', 'America/New_York'))),
    subscriptions: fc.array(
      fc.record({
        customer: fc.constantFrom(...customers),
        plan: fc.constantFrom(...planIds),
        start: instantUntil(8),
        second: fc.boolean(),
      }),
      { minLength: 3, maxLength: 6 },
    ),
    changes: fc.array(change, { maxLength: 8 }),
    cancels: fc.array(fc.record({ key: change.map(({ key }) => key), effective: instant }), { maxLength: 2 }),
    events: fc.array(event, { minLength: 30, maxLength: 60 }),
  })
  .map(({ plans, mappings, zones, subscriptions, changes, cancels, events }) => ({
    catalogue: {
      plans: plans.map((each, index) => ({ ...each, id: planIds[index], name: 'Plan', currency: 'EUR' })),
      customers: customers.map((key, index) => ({
        key,
        name: key,
        email: `${key}@example.com`,
        currency: 'EUR',
        timeZone: zones[index],
        subjects: subjectsOf(key, mappings[index] ?? { from: undefined, to: undefined }),
      })),
    },
    subscriptions: subscriptions.map(({ customer, second, ...rest }) => ({
      key: `${customer}${second ? 2 : 1}`,
      customer,
      ...rest,
    })),
    changes: [
      ...changes.map(({ key, operation, plan: id, effective }) => ({
        key,
        operation,
        body: operation === 'change' ? { plan: id, effective } : { effective },
      })),
      ...cancels.map(({ key, effective }) => ({ key, operation: 'cancel', body: { effective } })),
    ],
    events,
  }))
