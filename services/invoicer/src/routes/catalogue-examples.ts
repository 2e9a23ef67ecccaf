// One small company, in whose terms the reference speaks.

export const sellerExample = {
  name: 'Acme Software GmbH',
  address: { line1: 'Hauptstr. 1', postalCode: '10115', city: 'Berlin', country: 'DE' },
  taxIds: [{ type: 'eu_vat', value: 'DE123456789' }],
  invoiceSeries: { prefix: 'ACME' },
}

export const planExample = {
  id: 'pro',
  name: 'Pro',
  currency: 'USD',
  prices: [
    { id: 'base', model: 'flat', amount: '29.00' },
    { id: 'calls', model: 'per-unit', meter: 'api_calls', unitPrice: '0.0175' },
  ],
}

export const addOnExample = {
  id: 'support',
  name: 'Support',
  currency: 'USD',
  prices: [{ id: 'support', model: 'flat', amount: '99.00' }],
}

export const couponExample = {
  id: 'launch',
  name: 'Launch',
  type: 'percent',
  value: '20',
  duration: 'repeating',
  periods: 3,
}

export const customerExample = {
  key: 'acme',
  name: 'Acme Inc.',
  email: 'billing@acme.example',
  address: { line1: '1 Main St', city: 'Springfield', region: 'IL', postalCode: '62701', country: 'US' },
  currency: 'USD',
  timeZone: 'America/Chicago',
  paymentTerms: { dueDays: 30 },
  subjects: [{ key: 'acme-us', from: '2026-01-01T06:00:00.000000Z' }],
}

export const subjectExample = {
  key: 'acme-us',
  customer: 'acme',
  subscription: null,
  from: '2026-01-01T06:00:00.000000Z',
  to: null,
}

export const rateExample = { from: 'EUR', to: 'USD', on: '2026-11-01', rate: '1.0842' }

export const versionExample = {
  version: 2,
  state: 'published',
  sha256: '7d793037a0760186574b0282f2f435e7dbe1a4c0d1a0e7d0b1a3c5f5d2d9f0ab',
  createdAt: '2026-11-21T12:00:00.000000Z',
  publishedAt: '2026-11-21T12:00:00.000000Z',
  deprecatedAt: null,
}

export const applied = (kind: string, key: string, change = 'created', version?: number) => ({
  dryRun: false,
  changes: [{ kind, key, change, ...(version === undefined ? {} : { version }) }],
  unchanged: 0,
})
