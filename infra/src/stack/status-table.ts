import { join } from 'node:path'
import { portsOf } from './ports.ts'
import { memoryBytes } from './process-record.ts'
import { type RunningStack, serverStates } from './running-stack.ts'
import { serverTitles } from './server.ts'

/** The state of every server of a running stack, as a table for a person. */
export async function statusTable(stack: RunningStack): Promise<string> {
  const { settings, supervisor } = stack
  const rows = [['server', 'state', 'port', 'pid', 'memory', 'data']]
  for (const state of await serverStates(stack)) {
    const bytes = state.process === undefined ? 0 : await memoryBytes(state.process.pid)
    rows.push([
      serverTitles[state.name],
      state.answer,
      portsOf(state.name, settings.ports).join(' '),
      String(state.process?.pid ?? '-'),
      megabytes(bytes),
      join(settings.folder, state.name),
    ])
  }
  rows.push([
    'Whole stack',
    'supervised',
    '-',
    String(supervisor.pid),
    megabytes(await memoryBytes(supervisor.pid)),
    settings.folder,
  ])
  return formatTable(rows)
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_000_000)} MB`
}

function formatTable(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
