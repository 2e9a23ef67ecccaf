import { fork } from 'node:child_process'
import { join } from 'node:path'

export type Worker<Report> = { report: Promise<Report>; stop(): void }

const running = new Set<Worker<unknown>>()

/**
 * Starts a file of this folder as a process of its own and gives it one order: what loads the system must not share an
 * event loop with what measures it. The file answers with `answerOrder`.
 */
export function startWorker<Report>(file: string, order: object): Worker<Report> {
  const child = fork(join(import.meta.dirname, file))
  const report = new Promise<Report>((resolve, reject) => {
    child.once('message', (message: Report) => resolve(message))
    child.once('error', reject)
    child.once('exit', (code, signal) =>
      reject(new Error(`${file} ended without a report (${code ?? signal})`)),
    )
  })
  report.catch(() => {})
  const worker: Worker<Report> = {
    report,
    stop() {
      running.delete(worker)
      child.kill('SIGKILL')
    },
  }
  running.add(worker)
  child.send(order)
  return worker
}

/** Starts a worker, waits for its report and ends it. */
export async function runWorker<Report>(file: string, order: object): Promise<Report> {
  const worker = startWorker<Report>(file, order)
  try {
    return await worker.report
  } finally {
    worker.stop()
  }
}

export function stopWorkers(): void {
  for (const worker of [...running]) worker.stop()
}

/** The worker's side. It lives until it is ended, and never longer than who started it. */
export function answerOrder<Order>(answer: (order: Order) => Promise<object>): void {
  process.once('disconnect', () => process.exit(1))
  process.once('message', async (order: Order) => {
    const report = await answer(order)
    process.send?.(report)
  })
}
