import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'

export type Machine = {
  cpus: number
  cpuModel: string
  memoryGiB: number
  kernel: string
  node: string
  /** Over the last minute, before the benchmark started anything. */
  loadAverage: number
  /** Share of all CPUs' time that others used during one second before the benchmark started anything. */
  busyBefore: number
}

const watchMs = 1_000

/** What the figures were measured on, and how much of it was somebody else's. */
export async function describeMachine(): Promise<Machine> {
  const loadAverage = loadavg()[0] ?? 0
  const before = cpuTimes()
  await pause(watchMs)
  const after = cpuTimes()
  const busyBefore = 1 - (after.idle - before.idle) / Math.max(1, after.all - before.all)
  return {
    cpus: availableParallelism(),
    cpuModel: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    loadAverage: Math.round(loadAverage * 100) / 100,
    busyBefore: Math.round(busyBefore * 100) / 100,
  }
}

function cpuTimes(): { idle: number; all: number } {
  const times = cpus().map((cpu) => cpu.times)
  return {
    idle: times.reduce((sum, { idle }) => sum + idle, 0),
    all: times.reduce((sum, { user, nice, sys, irq, idle }) => sum + user + nice + sys + irq + idle, 0),
  }
}
