import type { Catalogue } from '@tidemark/schemas/catalogue.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'
import { expect } from 'vitest'
import type { TestTenant } from '../installation.ts'
import type { CloseRoom } from './close-room.ts'
import { at } from './usage-log.ts'

const meters: Meter[] = [
  {
    key: 'calls',
    eventType: 'api.request',
    aggregation: 'sum',
    valuePath: 'n',
    dimensions: { region: 'region', tier: 'tier' },
  },
  { key: 'paid', eventType: 'payment', aggregation: 'sum', valuePath: 'amount' },
]

const later = at('2026-11-01T02:00:00Z')
export const until = { until: '2026-11-01T01:00:00Z' }

/** What a test of one subscription does: found it, use it, change it and close its periods. */
export const livedIn = (room: () => CloseRoom) => ({
  async found(name: string, plans: Catalogue['plans'], more: Partial<Catalogue> = {}) {
    const tenant = await room().installation.createTenant(name)
    await room().createMeters(name, meters)
    const [plan] = plans ?? []
    await room().apply(tenant, {
      plans: plans ?? [],
      customers: [
        {
          key: 'c',
          name: 'C',
          email: 'c@example.com',
          currency: 'EUR',
          timeZone: 'Europe/Berlin',
          subjects: [{ key: 's1' }, { key: 's2' }],
        },
      ],
      subscriptions: [{ key: 'sub', customer: 'c', plan: plan?.id ?? '', start: '2026-09-30T22:00:00Z' }],
      ...more,
    })
    return tenant
  },

  used: (tenant: TestTenant, subject: string, time: string, data: Record<string, string | number>) =>
    room().log.append({
      tenant: tenant.tenant,
      type: 'amount' in data ? 'payment' : 'api.request',
      subject,
      time: at(time),
      data,
    }),

  async change(tenant: TestTenant, operation: string, body: Record<string, unknown>) {
    const answer = await room().call(tenant, 'POST', `/v1/subscriptions/sub/${operation}`, body)
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  },

  complete: (tenant: TestTenant) => room().completeUsage(later, [tenant]),

  /** Closes, checks that every invoice verifies, and answers each with its lines. */
  async close(tenant: TestTenant, by = until) {
    await room().completeUsage(later, [tenant])
    const { status, body } = await room().call(tenant, 'POST', '/v1/periods/close', by)
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body.refused).toEqual([])
    const invoices = []
    for (const { id, number, total } of Object(body.invoices)) {
      const verification = await room().call(tenant, 'POST', `/v1/invoices/${id}/verify`)
      expect(verification.body, number).toMatchObject({ verified: true })
      const { body: invoice } = await room().call(tenant, 'GET', `/v1/invoices/${id}`)
      invoices.push({ total, lines: Object(invoice).lines.map(shownLine) })
    }
    return invoices
  },
})

/** `kind price quantity service amount`. */
export const shownLine = (
  line: Record<string, string | null> & { service: { start: string; end: string } },
) => [line.kind, line.price, line.quantity ?? '-', line.service.start.slice(0, 10), line.amount].join(' ')
