import { heading, step } from '../demonstration/print.ts'
import type { BenchStack } from './bench-stack.ts'
import { measureDrain } from './drain.ts'
import type { Measured } from './figure.ts'
import { batch500, measureRates, single } from './ingest/http-rates.ts'
import { measureIdleStack, measureUsedStack } from './stack-memory.ts'

/** From a product's request to the ledger: memory first, while the stack is idle; then each half of the way. */
export async function measurePath(bench: BenchStack): Promise<Measured> {
  const idle = await step('Memory of the idle stack', () => measureIdleStack(bench.stack))
  heading('Ingest')
  const http = await measureRates(bench, [batch500, single])
  heading('Aggregator')
  const drained = await measureDrain(bench, { records: 512_000 })
  const used = await step('Memory of the stack after it', () => measureUsedStack(bench.stack))
  return {
    figures: [...http.figures, ...drained.figures, ...idle, ...used],
    lost: [...http.lost, ...drained.lost],
  }
}
