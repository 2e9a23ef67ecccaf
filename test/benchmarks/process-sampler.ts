import { readFileSync } from 'node:fs'

export type ProcessSampler = {
  /** CPU time that the process used from one instant to another (milliseconds since 1970). */
  cpuMsBetween(fromMs: number, toMs: number): number
  /** The most resident memory that it ever had. */
  peakBytes(): number
  stop(): void
}

const intervalMs = 50
/** Linux counts CPU time in hundredths of a second, on every platform that Node runs on. */
const tickMs = 10

/** Watches a process from outside, so that what it costs does not depend on what it says. */
export function sampleProcess(pid: number): ProcessSampler {
  const samples: { atMs: number; cpuMs: number }[] = []
  const sample = () => samples.push({ atMs: Date.now(), cpuMs: cpuMsOf(pid) })
  sample()
  const timer = setInterval(sample, intervalMs)
  const at = (instantMs: number): number => samples.findLast(({ atMs }) => atMs <= instantMs)?.cpuMs ?? 0
  return {
    cpuMsBetween: (fromMs, toMs) => at(toMs) - at(fromMs),
    peakBytes: () => Number(/^VmHWM:\s+(\d+) kB/m.exec(read(pid, 'status'))?.[1] ?? 0) * 1024,
    stop: () => clearInterval(timer),
  }
}

function cpuMsOf(pid: number): number {
  const stat = read(pid, 'stat')
  // The second field is the command in brackets and may hold spaces: count from its closing bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * tickMs
}

const read = (pid: number, file: string): string => readFileSync(`/proc/${pid}/${file}`, 'utf8')
