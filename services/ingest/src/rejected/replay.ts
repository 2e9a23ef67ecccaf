import type { OutboundMessage } from '@tidemark/infra/kafka/record.ts'
import { type JudgeOptions, judge } from './judge.ts'
import type { Marks } from './marks.ts'
import type { MarkedRejection, Rejection } from './rejection.ts'

export type RefusedAgain = { readonly rejection: Rejection; readonly code: string; readonly reason: string }

export type ReplayReport = { readonly accepted: number; readonly refused: number }

export type ReplayOptions = JudgeOptions & {
  marks: Marks
  /** Resolves when every in-sync replica has them. */
  publish(messages: readonly OutboundMessage[]): Promise<void>
  dryRun: boolean
  onRefused(refused: RefusedAgain): void
  onProgress(report: ReplayReport): void
}

/**
 * Sends refused records again. Marked after the acknowledgement: a crash in between repeats some of them, which the log's
 * readers find. What is refused again stays open.
 */
export async function replay(
  chunks: AsyncIterable<readonly MarkedRejection[]>,
  options: ReplayOptions,
): Promise<ReplayReport> {
  let report: ReplayReport = { accepted: 0, refused: 0 }
  for await (const chunk of chunks) {
    const accepted: Rejection[] = []
    const messages: OutboundMessage[] = []
    for (const rejection of chunk) {
      const judgement = await judge(rejection, options)
      if (judgement.kind === 'refused') options.onRefused({ rejection, ...judgement })
      else {
        accepted.push(rejection)
        messages.push(judgement.message)
      }
    }
    if (!options.dryRun && messages.length > 0) {
      await options.publish(messages)
      await options.marks.add(accepted, 'replayed')
    }
    report = {
      accepted: report.accepted + accepted.length,
      refused: report.refused + chunk.length - accepted.length,
    }
    options.onProgress(report)
  }
  return report
}
