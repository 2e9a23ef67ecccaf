import type { FindingCounts } from './legacy.ts'

export type Outcome = {
  events: { sent: number; accepted: number; duplicate: number; rejected: number; ledger: number; raw: number }
  /** Micro-units per currency, as text: they pass what a JSON number holds. */
  invoices: { count: number; totalMicros: Record<string, string> }
  payments: { succeeded: number; requiresAction: number; failed: number }
  findings: FindingCounts
  certificates: { checked: number; failed: number }
}

type Timing = { setup: number; ingest: number; close: number; total: number }

export type Summary = Outcome & { expected: Outcome; seconds: Timing }

/** Each number that is not as expected, by its path. */
export function differences(outcome: Outcome, expected: Outcome): string[] {
  const found = flatten(outcome)
  return [...flatten(expected)].flatMap(([path, value]) =>
    found.get(path) === value ? [] : [`${path} is ${found.get(path) ?? 'missing'}, expected ${value}`],
  )
}

function flatten(outcome: Outcome): Map<string, string> {
  const flat = new Map<string, string>()
  const walk = (value: object, path: string) => {
    for (const [key, each] of Object.entries(value))
      if (typeof each === 'object' && each !== null) walk(each, `${path}${key}.`)
      else flat.set(`${path}${key}`, String(each))
  }
  walk(outcome, '')
  return flat
}
