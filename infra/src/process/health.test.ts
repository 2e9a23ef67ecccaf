import { expect, test } from 'vitest'
import { createHealth } from './health.ts'

test('what is only reported is told and does not end readiness; what does not move does', async () => {
  const reported = { relay: () => 'one topic stands still' }
  const relay = { ok: false, durationMs: 0, reason: 'one topic stands still' }
  expect(await createHealth({ checks: {}, reported })()).toEqual({ status: 'ready', checks: { relay } })
  expect(await createHealth({ checks: {}, progress: () => 'nothing moves', reported })()).toEqual({
    status: 'not_ready',
    checks: { relay, progress: { ok: false, durationMs: 0, reason: 'nothing moves' } },
  })
})
