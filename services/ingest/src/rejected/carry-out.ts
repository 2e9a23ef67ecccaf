import { Failure } from '@tidemark/infra/process/failure.ts'
import { type RejectedLog, readRejections } from './rejected-log.ts'
import type { RejectedOrder } from './rejected-order.ts'
import { rejectionDetails, rejectionHeading, rejectionLine } from './rejected-text.ts'
import { type ReplayOptions, type ReplayReport, replay } from './replay.ts'

export type CarryOutOptions = RejectedLog & {
  /** Connects to what only a replay needs. */
  openReplay(): Promise<
    Pick<ReplayOptions, 'tenants' | 'rules' | 'dataChecks' | 'encode' | 'decodeUsage' | 'publish'>
  >
  print(line: string): void
  /** For what is no result: headings and progress. */
  tell(line: string): void
}

/** Some records were refused again. */
const refusedAgainCode = 2

/** @returns the exit code @throws Failure */
export async function carryOut(order: RejectedOrder, options: CarryOutOptions): Promise<number> {
  const { filter } = order
  if (order.kind === 'replay') return replayAll(order, options)
  let found = 0
  for await (const chunk of readRejections(options, filter)) {
    if (order.kind === 'list' && found === 0) options.tell(rejectionHeading)
    found += chunk.length
    for (const rejection of chunk)
      options.print(order.kind === 'show' ? rejectionDetails(rejection) : rejectionLine(rejection))
    if (order.kind === 'discard' && !order.dryRun) await options.marks.add(chunk, 'discarded')
  }
  if (found === 0 && filter.name !== undefined) throw notFound(filter.name)
  if (order.kind === 'discard')
    options.tell(`${found} ${order.dryRun ? 'would be discarded; nothing was changed' : 'discarded'}.`)
  if (order.kind === 'list')
    options.tell(found === filter.limit ? `${found} records; --limit shows more.` : `${found} records.`)
  return 0
}

async function replayAll(order: RejectedOrder, options: CarryOutOptions): Promise<number> {
  const opened = await options.openReplay()
  let done: ReplayReport = { accepted: 0, refused: 0 }
  let toldAtMs = performance.now()
  const { accepted, refused } = await replay(readRejections(options, order.filter), {
    ...opened,
    marks: options.marks,
    dryRun: order.dryRun,
    onRefused: ({ rejection, code, reason }) => options.print(`${rejection.origin}\t${code}\t${reason}`),
    onProgress(report) {
      done = report
      if (performance.now() - toldAtMs < 1_000) return
      toldAtMs = performance.now()
      options.tell(`${report.accepted} accepted, ${report.refused} refused again …`)
    },
  }).catch((error: unknown) => {
    if (done.accepted > 0)
      options.tell(`${done.accepted} accepted before the failure; the same command goes on with the others.`)
    throw error
  })
  if (accepted + refused === 0 && order.filter.name !== undefined) throw notFound(order.filter.name)
  options.tell(
    order.dryRun
      ? `${accepted} would be accepted, ${refused} refused again; nothing was sent.`
      : `${accepted} accepted, ${refused} refused again (they stay open).`,
  )
  return refused > 0 ? refusedAgainCode : 0
}

const notFound = (name: string): Failure =>
  new Failure(`There is no refused record ${name} with this state; "list --state all" shows what there is`, {
    code: 'not_found',
    retryable: false,
  })
