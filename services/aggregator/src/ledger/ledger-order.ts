import { readCommandLine, usageFailure } from '@tidemark/infra/process/command-line.ts'
import { parseInstant } from '@tidemark/schemas/instant.ts'

/** Offsets of one partition; both ends included. */
export type OffsetRange = {
  readonly log: number
  readonly partition: number
  readonly first: bigint
  readonly last: bigint
}

/** Hours of the events' own time, in seconds since 1970, half-open. */
export type HourRange = { readonly fromHour: number | undefined; readonly toHour: number | undefined }

export type CheckOrder = HourRange & { readonly tenant: string | undefined; readonly payloads: boolean }

export type LostOrder = OffsetRange & {
  readonly reason: string
  readonly by: string | undefined
  /** Why rows or readable records in the range do not matter. */
  readonly force: string | undefined
  readonly yes: boolean
}

export type LedgerOrder =
  | ({ readonly kind: 'check' } & CheckOrder)
  | ({ readonly kind: 'lost' } & LostOrder)
  | { readonly kind: 'lost-list' }
  | ({ readonly kind: 'repair'; readonly dryRun: boolean } & OffsetRange)
  | ({
      readonly kind: 'repair-sealed'
      readonly dryRun: boolean
      readonly tenant: string | undefined
    } & HourRange)
  | { readonly kind: 'rebuild'; readonly yes: boolean; readonly force: string | undefined }
  | {
      readonly kind: 'cut-over'
      readonly to: number
      readonly partitions: number | undefined
      readonly ingestStopped: boolean
      readonly by: string | undefined
    }

export const ledgerUsage = `The ledger of usage, and what mends it:
  check    [--tenant <id>] [--from <RFC 3339>] [--to <RFC 3339>] [--skip-payloads]
           reads everything and says what differs; instants are whole hours of the events' own time.
           --skip-payloads does not hash each raw event anew, which is most of the work
  lost     --log <n> --partition <n> --from <offset> --to <offset> --reason <text> [--by <name>] [--force <why>] [--yes]
           records offsets that are truly gone, both included; without --yes it only says what it would do
  lost     --list
  repair   --log <n> --partition <n> --from <offset> --to <offset> [--dry-run]
           writes raw events, corrections and look-up copies of these offsets again, by the ledger's verdicts
  repair   --sealed [--tenant <id>] [--from <RFC 3339>] [--to <RFC 3339>] [--dry-run]
           writes sealed hours that differ again, from their raw events
  rebuild  [--yes] [--force <why>]
           makes all tables of usage anew beside the old ones, compares them and, with --yes, swaps them
  cut-over --to <log> --ingest-stopped [--partitions <n>] [--by <name>]
           closes the current log and opens the next`

const options = {
  tenant: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  log: { type: 'string' },
  partition: { type: 'string' },
  partitions: { type: 'string' },
  reason: { type: 'string' },
  by: { type: 'string' },
  force: { type: 'string' },
  yes: { type: 'boolean' },
  list: { type: 'boolean' },
  sealed: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  'skip-payloads': { type: 'boolean' },
  'ingest-stopped': { type: 'boolean' },
} as const

type Values = ReturnType<typeof readCommandLine<typeof options>>['values']

/** Which options each form of a command takes. */
const forms: Record<string, readonly (keyof typeof options)[]> = {
  check: ['tenant', 'from', 'to', 'skip-payloads'],
  'lost --list': ['list'],
  lost: ['log', 'partition', 'from', 'to', 'reason', 'by', 'force', 'yes'],
  'repair --sealed': ['sealed', 'tenant', 'from', 'to', 'dry-run'],
  repair: ['log', 'partition', 'from', 'to', 'dry-run'],
  rebuild: ['yes', 'force'],
  'cut-over': ['to', 'partitions', 'ingest-stopped', 'by'],
}

/** What a command line asks for. @throws Failure `usage` that says what is wrong with it */
export function readLedgerOrder(args: readonly string[]): LedgerOrder {
  const { values, positionals } = readCommandLine(args, options)
  const [command = '', ...more] = positionals
  if (more.length > 0) throw usageFailure(`"${more[0]}" is one word too many`)
  const form =
    command === 'lost' && values.list
      ? 'lost --list'
      : command === 'repair' && values.sealed
        ? 'repair --sealed'
        : command
  const allowed = forms[form]
  if (allowed === undefined) throw usageFailure('Give one of check, lost, repair, rebuild, cut-over')
  const alien = Object.keys(values).find((name) => !allowed.some((each) => each === name))
  if (alien !== undefined) throw usageFailure(`${form} takes no --${alien}`)
  const dryRun = values['dry-run'] ?? false
  switch (form) {
    case 'check':
      return {
        kind: 'check',
        ...readHours(values),
        tenant: values.tenant,
        payloads: !values['skip-payloads'],
      }
    case 'lost --list':
      return { kind: 'lost-list' }
    case 'lost':
      return { kind: 'lost', ...readRange(values), ...readLost(values) }
    case 'repair --sealed':
      return { kind: 'repair-sealed', ...readHours(values), tenant: values.tenant, dryRun }
    case 'repair':
      return { kind: 'repair', ...readRange(values), dryRun }
    case 'rebuild':
      return { kind: 'rebuild', yes: values.yes ?? false, force: values.force }
    default:
      return {
        kind: 'cut-over',
        to: readNumber('--to', values.to, 2, 65_535),
        partitions:
          values.partitions === undefined
            ? undefined
            : readNumber('--partitions', values.partitions, 1, 1_000),
        ingestStopped: values['ingest-stopped'] ?? false,
        by: values.by,
      }
  }
}

function readLost(values: Values): Omit<LostOrder, keyof OffsetRange> {
  const reason = values.reason?.trim() ?? ''
  if (reason === '') throw usageFailure('lost needs --reason: certificates of invoices show it for ever')
  return { reason, by: values.by, force: values.force, yes: values.yes ?? false }
}

function readRange(values: Values): OffsetRange {
  const range = {
    log: readNumber('--log', values.log, 1, 65_535),
    partition: readNumber('--partition', values.partition, 0, 65_535),
    first: readOffset('--from', values.from),
    last: readOffset('--to', values.to),
  }
  if (range.last < range.first) throw usageFailure(`--to ${range.last} lies before --from ${range.first}`)
  return range
}

function readOffset(option: string, text: string | undefined): bigint {
  if (text === undefined || !/^\d{1,18}$/.test(text))
    throw usageFailure(`${option} is an offset, a whole number from 0, not "${text ?? ''}"`)
  return BigInt(text)
}

function readNumber(option: string, text: string | undefined, least: number, most: number): number {
  const value = text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw usageFailure(`${option} takes a whole number from ${least} to ${most}, not "${text ?? ''}"`)
}

const hourMicros = 3_600_000_000

function readHours(values: Values): HourRange {
  const fromHour = readHour('--from', values.from)
  const toHour = readHour('--to', values.to)
  if (fromHour !== undefined && toHour !== undefined && toHour <= fromHour)
    throw usageFailure('--to does not lie after --from')
  return { fromHour, toHour }
}

function readHour(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const micros = parseInstant(text)
  if (micros === undefined || micros % hourMicros !== 0)
    throw usageFailure(`${option} is a whole hour such as 2026-11-21T12:00:00Z, not "${text}"`)
  return micros / 1_000_000
}
