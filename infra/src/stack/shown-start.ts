import { Listr } from 'listr2'
import { serversToStart } from './environment.ts'
import { serverNames, serverTitles } from './server.ts'
import { type Stack, type StackOptions, type StackProgress, startStack } from './start-stack.ts'

type Step = StackProgress['step']
type Outcome = 'done' | 'failed' | 'stopped'
type Row = { outcome: Promise<Outcome>; settle(outcome: Outcome): void; report: (text: string) => void }

/** startStack with its progress shown: a live list on a terminal, plain lines elsewhere. */
export async function startStackShown(options: StackOptions): Promise<Stack> {
  const steps: Step[] = [
    'programs',
    ...serversToStart(options.servers ?? serverNames, options.env ?? process.env),
  ]
  const rows = new Map<Step, Row>(steps.map((step) => [step, newRow()]))
  let shown: Promise<unknown> | undefined
  const onProgress = (progress: StackProgress): void => {
    // Only now: a fault of the machine, such as no Java, comes before any step and stays one line.
    shown ??= showRows(rows)
    const row = rows.get(progress.step)
    if (progress.state === 'working') row?.report(progress.detail)
    else row?.settle(progress.state)
  }
  try {
    return await startStack({ ...options, onProgress })
  } finally {
    for (const row of rows.values()) row.settle('stopped')
    await shown
  }
}

function newRow(): Row {
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  return { outcome: promise, settle: resolve, report: () => {} }
}

function showRows(rows: Map<Step, Row>): Promise<unknown> {
  const isTerminal = process.stdout.isTTY === true
  const tasks = [...rows].map(([step, row]) => ({
    title: step === 'programs' ? "The servers' programs" : serverTitles[step],
    task: async (_: unknown, task: { output: string; skip(message: string): void }): Promise<void> => {
      // Hundreds of file names are a moving line on a terminal, but noise in a log.
      if (isTerminal) row.report = (text) => (task.output = text)
      const outcome = await row.outcome
      if (outcome === 'failed') throw new Error('did not start')
      if (outcome === 'stopped') task.skip('not started')
    },
  }))
  return new Listr(tasks, {
    concurrent: true,
    exitOnError: false,
    registerSignalListeners: false,
    renderer: isTerminal ? 'default' : 'simple',
  }).run()
}
