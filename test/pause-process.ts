import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** SIGSTOP, and resolves when no thread of it runs any more: a busy machine takes its time, and a broker would answer. */
export async function pauseProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  while (readdirSync(`/proc/${pid}/task`).some((thread) => !isStopped(pid, thread))) await pause(1)
}

function isStopped(pid: number, thread: string): boolean {
  try {
    return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8'))
  } catch {
    // It has ended meanwhile.
    return true
  }
}
