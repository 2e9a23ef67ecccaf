import { isRecord } from './record.ts'

type Output = { write(text: string): unknown }

const shownApart = new Set(['level', 'time', 'service', 'msg', 'err'])

/** Turns pino's JSON lines into lines for a person at a terminal. Never used where a machine reads the log. */
export function createPrettyStream(output: Output): { write(line: string): void } {
  return {
    write: (line) => {
      output.write(`${formatLine(line)}\n`)
    },
  }
}

export function formatLine(line: string): string {
  const entry: unknown = JSON.parse(line)
  if (!isRecord(entry)) return line.trimEnd()
  const time = String(entry.time ?? '').slice(11, 23)
  const level = String(entry.level ?? '')
    .toUpperCase()
    .padEnd(5)
  const fields = Object.entries(entry)
    .filter(([name]) => !shownApart.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const head = [time, level, `[${String(entry.service ?? '')}]`, String(entry.msg ?? ''), ...fields].join(' ')
  return `${head.trimEnd()}${formatError(entry.err)}`
}

function formatError(error: unknown): string {
  if (!isRecord(error)) return ''
  return `\n  ${String(error.stack ?? error.message ?? '').replaceAll('\n', '\n  ')}`
}
