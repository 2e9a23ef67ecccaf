import { createTestClock, type TestClock } from '@tidemark/infra/process/clock.ts'
import type { TestTenant } from '../installation.ts'
import { type CloseRoom, openCloseRoom } from './close-room.ts'
import { at } from './usage-log.ts'

type Sent = {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

/** An invoicer whose clock the test moves. */
export type SubscriptionRoom = Omit<CloseRoom, 'call'> & {
  readonly clock: TestClock
  send(
    tenant: TestTenant,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Sent>
  /** Sets the clock, `2026-11-10T09:00:00Z`. */
  setTime(text: string): void
}

export async function openSubscriptionRoom(name: string, now: string): Promise<SubscriptionRoom> {
  const clock = createTestClock(at(now) / 1000)
  const room = await openCloseRoom(name, clock)
  return {
    ...room,
    clock,
    setTime: (text) => clock.set(at(text) / 1000),
    async send(tenant, method, path, body, headers = {}) {
      const response = await fetch(`${room.url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${tenant.key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const answer: Record<string, unknown> = Object(await response.json())
      return { status: response.status, headers: response.headers, body: answer }
    },
  }
}
