import { readFileSync } from 'node:fs'
import { legalOperations, subscriptionStates } from '@tidemark/invoicer/subscriptions/states.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSubscriptionRoom, type SubscriptionRoom } from './subscription-room.ts'

const page = readFileSync(new URL('../../docs/subscriptions.md', import.meta.url), 'utf8')

const catalogue = {
  plans: [
    {
      id: 'team',
      name: 'Team',
      currency: 'EUR',
      trialDays: 14,
      prices: [{ id: 'seat', model: 'per-unit', unitPrice: '12.00', timing: 'advance' }],
    },
    {
      id: 'pro',
      name: 'Pro',
      currency: 'EUR',
      prices: [{ id: 'seat', model: 'per-unit', unitPrice: '20.00' }],
    },
  ],
  addOns: [
    {
      id: 'support',
      name: 'Support',
      currency: 'EUR',
      prices: [{ id: 'support', model: 'flat', amount: '49.00' }],
    },
  ],
  coupons: [{ id: 'welcome', name: 'Welcome', type: 'percent', value: '20', duration: 'once' }],
  customers: [
    {
      key: 'acme',
      name: 'Acme',
      email: 'billing@acme.example',
      currency: 'EUR',
      timeZone: 'Europe/Berlin',
      subjects: [],
    },
  ],
}

let room: SubscriptionRoom

beforeAll(async () => {
  room = await openSubscriptionRoom('subdocs', '2026-11-10T09:00:00Z')
})
afterAll(() => room?.close())

type Example = {
  time: string
  method: string
  path: string
  headers: Record<string, string>
  body: unknown
  answer: unknown
}

/** Each request of the page with the answer that follows it. */
function examples(): Example[] {
  const blocks = [...page.matchAll(/```http\n(.*?)```\n+```json\n(.*?)```/gs)]
  return blocks.map(([, request = '', answer = '']) => {
    const [head = '', body = ''] = request.split('\n\n')
    const [comment = '', line = '', ...headers] = head.trim().split('\n')
    const [method = '', path = ''] = line.split(' ')
    return {
      time: comment.replace('# ', ''),
      method,
      path,
      headers: Object.fromEntries(headers.map((header) => header.split(': '))),
      body: body.trim() === '' ? undefined : JSON.parse(body),
      answer: JSON.parse(answer),
    }
  })
}

test('the examples of docs/subscriptions.md are what the service answers', async () => {
  const tenant = await room.installation.createTenant('docs')
  expect(await room.send(tenant, 'POST', '/v1/catalogue', catalogue)).toMatchObject({ status: 200 })
  const all = examples()
  expect(all.length).toBeGreaterThan(10)
  for (const { time, method, path, headers, body, answer } of all) {
    room.setTime(time)
    const given = await room.send(tenant, method, path, body, headers)
    expect({ request: `${method} ${path}`, ...given.body }).toMatchObject({
      request: `${method} ${path}`,
      ...Object(answer),
    })
    expect(given.status).toBeLessThan(300)
  }
})

test('its table of states is the one that the service goes by', () => {
  const [table = ''] = page.split('| from ')
  const rows = [...table.matchAll(/^\| `(\w+)`\s*\|[^|]*\| ([^|]*) \|$/gm)]
  const told = new Map(
    rows.map(([, state = '', legal = '']) => [
      state,
      [...legal.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name),
    ]),
  )
  for (const state of subscriptionStates)
    expect([state, told.get(state)]).toEqual([state, legalOperations[state]])
})
