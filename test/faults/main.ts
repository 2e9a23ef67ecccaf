import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { StackEnvironment } from '@tidemark/infra/stack/environment.ts'
import { freePorts } from '@tidemark/infra/stack/ports.ts'
import { stopRunningStack } from '@tidemark/infra/stack/running-stack.ts'
import { startStackShown } from '@tidemark/infra/stack/shown-start.ts'
import type { Stack } from '@tidemark/infra/stack/start-stack.ts'
import { describeMachine } from '../benchmarks/machine.ts'
import { heading, line, seconds, table } from '../demonstration/print.ts'
import { runInterruptible } from '../interruptible.ts'
import type { FaultRoom } from './fault.ts'
import { faults } from './faults.ts'
import { readOrder } from './order.ts'
import { describeCounts, isSound, resultOf, rowsOf, sumCounts } from './report.ts'
import { runSeries } from './series.ts'

const local = join(import.meta.dirname, '..', '..', '.local')
const stackFolder = join(local, 'faults-stack')

let stack: Stack | undefined
let openRoom: FaultRoom | undefined

async function main(args: readonly string[]): Promise<number> {
  const order = readOrder(args, Object.keys(faults))
  if (typeof order === 'string') {
    line(order)
    line('npm run faults [-- <name>] [--iterations <n>] [--seed <n>] [--again]')
    line('A run that was broken off goes on where it was; --again begins anew. Names:')
    for (const [name, { about }] of Object.entries(faults)) line(`  ${name.padEnd(18)} ${about}`)
    return 2
  }
  const { name: only, iterations, seed, again } = order
  const startedAt = performance.now()
  const machine = await describeMachine()
  const reports = []
  for (const [name, fault] of Object.entries(faults)) {
    if (only !== undefined && only !== name) continue
    const wanted = iterations ?? fault.strikes
    const { strikes, isFinished } = await runSeries({
      ...{ name, fault, wanted, seed, again },
      folder: join(local, 'faults'),
      stack: startServers,
      onRoom: (room) => {
        openRoom = room
      },
    })
    reports.push({ result: resultOf(name, strikes), counts: sumCounts(strikes), isFinished })
  }
  await stop()
  heading(`Faults (${seconds(performance.now() - startedAt)})`)
  table(rowsOf(reports.map(({ result }) => result)))
  line()
  for (const { result, counts } of reports) line(`  ${result.name}: ${describeCounts(counts)}`)
  const { cpus, cpuModel, memoryGiB, node, busyBefore } = machine
  const busy = `${Math.round(busyBefore * 100)} % busy before`
  line(`  ${cpus} CPUs (${cpuModel}), ${memoryGiB} GiB, Node ${node}, ${busy}, seed ${seed}`)
  line(JSON.stringify({ faults: reports.map(({ result }) => result) }))
  return reports.every(({ result, isFinished }) => isFinished && isSound(result)) ? 0 : 1
}

/** Servers of its own on free ports, once there is something to strike. */
async function startServers(): Promise<StackEnvironment> {
  if (stack === undefined) {
    await stopRunningStack(stackFolder)
    await rm(stackFolder, { recursive: true, force: true })
    stack = await startStackShown({ dir: stackFolder, ports: await freePorts(), temporary: true })
  }
  return stack.environment
}

async function stop(): Promise<void> {
  const [room, running] = [openRoom, stack]
  openRoom = undefined
  stack = undefined
  await room?.close().catch(() => {})
  await running?.stop()
}

await runInterruptible(() => main(process.argv.slice(2)), stop)
