import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import { repeat } from '@tidemark/infra/process/repetition.ts'
import type { Fatal } from '@tidemark/infra/process/service.ts'
import { type ProcessingDeps, processEvents } from './processing.ts'

/** How often events that could not be processed at once are looked for. */
const roundMs = 1_000

/** Processes what was stored but not settled: after a crash, or when something stood in the way. */
export const createWebhookProcessing = (deps: ProcessingDeps & { fatal: Fatal }): Component =>
  repeat({
    name: 'processing webhooks',
    intervalMs: roundMs,
    log: deps.log,
    run: () => processEvents(deps),
    onFatal: deps.fatal,
  })
