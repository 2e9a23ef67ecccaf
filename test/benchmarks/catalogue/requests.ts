/** How many there are of everything, and how it is named: the seed and the load speak of the same. */
export const company = {
  customers: 100_000,
  /** The first of them have usage. */
  used: 1_000,
  /** The first of them have a subscription; who is left gets one while it is measured. */
  subscribed: 90_000,
}

export const customerKey = (index: number): string => `c-${String(index).padStart(6, '0')}`
export const subscriptionKey = (index: number): string => `s-${String(index).padStart(6, '0')}`
/** As the data set of usage names its subjects; the others have none. */
const subjectKey = (index: number): string => `customer-${String(index).padStart(4, '0')}`

export const customerOf = (index: number, name = `Customer ${index}`) => ({
  key: customerKey(index),
  name,
  email: `billing-${index}@example.com`,
  address: {
    line1: `${index} Main St`,
    city: 'Springfield',
    region: 'IL',
    postalCode: '62701',
    country: 'US',
  },
  currency: 'USD',
  timeZone: 'UTC',
  paymentTerms: { dueDays: 30 },
  metadata: { crm: String(index) },
  subjects: [{ key: subjectKey(index) }],
})

export type LoadKind = 'catalogue' | 'subscriptions' | 'preview' | 'pricing'
export type BenchRequest = { method: 'GET' | 'POST' | 'PUT'; path: string; body?: object }

/** The same pseudo-random place at every run, so that runs can be compared. */
const scattered = (serial: number, of: number): number => (serial * 7_919 + 104_729) % of

/** The request with that serial: a mix in which one in five changes something. */
export function requestOf(kind: LoadKind, serial: number, start: string): BenchRequest {
  switch (kind) {
    case 'catalogue':
      return catalogueRequest(serial)
    case 'subscriptions':
      return subscriptionRequest(serial, start)
    case 'preview':
      return {
        method: 'POST',
        path: `/v1/subscriptions/${subscriptionKey(scattered(serial, company.used))}/preview`,
        body: serial % 2 === 0 ? {} : { quantity: '5' },
      }
    case 'pricing':
      return { method: 'POST', path: '/v1/pricing/preview', body: pricing }
  }
}

function catalogueRequest(serial: number): BenchRequest {
  const index = scattered(serial, company.customers)
  const key = customerKey(index)
  switch (serial % 10) {
    case 0:
    case 1:
      return { method: 'GET', path: '/v1/plans/pro' }
    case 2:
      return { method: 'GET', path: `/v1/customers?limit=20&cursor=${key}` }
    case 3:
      return { method: 'GET', path: `/v1/subjects?customer=${key}` }
    case 4:
      return { method: 'PUT', path: `/v1/customers/${key}`, body: customerOf(index, `Renamed ${serial}`) }
    case 5:
      return {
        method: 'POST',
        path: '/v1/coupons',
        body: { id: `coupon-${serial}`, name: 'Ten', type: 'percent', value: '10', duration: 'once' },
      }
    default:
      return { method: 'GET', path: `/v1/customers/${key}` }
  }
}

function subscriptionRequest(serial: number, start: string): BenchRequest {
  const index = scattered(serial, company.subscribed)
  const path = `/v1/subscriptions/${subscriptionKey(index)}`
  switch (serial % 10) {
    case 0:
      return { method: 'GET', path: `/v1/subscriptions?customer=${customerKey(index)}` }
    case 1:
      return { method: 'GET', path: `${path}/history` }
    case 2:
      return { method: 'GET', path: `/v1/subscriptions?limit=20&cursor=${subscriptionKey(index)}` }
    case 3:
      return { method: 'POST', path: `${path}/change`, body: { quantity: String((serial % 50) + 1) } }
    case 4: {
      const free = company.subscribed + ((serial / 10) | 0)
      const made = { key: subscriptionKey(free), customer: customerKey(free), plan: 'pro', start }
      return { method: 'POST', path: '/v1/subscriptions', body: made }
    }
    default:
      return { method: 'GET', path }
  }
}

const pricing = {
  kind: 'price',
  currency: 'USD',
  price: {
    model: 'graduated',
    tiers: [
      { upTo: '100', unitPrice: '0.5', flatFee: '1' },
      { upTo: '1000', unitPrice: '0.4', flatFee: '0' },
      { upTo: null, unitPrice: '0.3', flatFee: '0' },
    ],
  },
  usage: '12345.6789',
}
