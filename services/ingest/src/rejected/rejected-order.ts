import { readCommandLine, usageFailure } from '@tidemark/infra/process/command-line.ts'
import { parseInstant } from '@tidemark/schemas/instant.ts'
import type { RejectionFilter } from './rejection.ts'

export type RejectedOrder = {
  readonly kind: 'list' | 'show' | 'replay' | 'discard'
  readonly filter: RejectionFilter
  readonly dryRun: boolean
  /** Who decided, for the marks; undefined: whoever runs the command. */
  readonly by: string | undefined
}

export const rejectedUsage = `Refused usage, on usage.rejected:
  list                              what is open, and why it was refused
  show <topic/partition/offset>     one record: its reason and its bytes
  replay [<topic/partition/offset>] sends the bytes again, through the same checks; safe to repeat
  discard [<topic/partition/offset>] marks records that are not to be replayed; nothing is removed
Which records (replay and discard need at least one of these, or the name of a record, or --all):
  --tenant <id>  --code <reason code>  --from <RFC 3339>  --to <RFC 3339>  when the record arrived, half-open
  --limit <n>    list: 100 unless given
  --state open|replayed|discarded|all   open unless given, all for a named record
Besides:
  --dry-run      replay, discard: says what would become of them and changes nothing
  --by <name>    who decides; the user of this process unless given`

const states = ['open', 'replayed', 'discarded', 'all'] as const
const kinds = ['list', 'show', 'replay', 'discard'] as const

/** What a command line asks for. @throws Failure `usage` that says what is wrong with it */
export function readRejectedOrder(args: readonly string[]): RejectedOrder {
  const { values, positionals } = readCommandLine(args, options)
  const [command, name, ...more] = positionals
  if (more.length > 0) throw usageFailure(`"${more[0]}" is one word too many`)
  const kind = kinds.find((each) => each === command)
  if (kind === undefined) throw usageFailure('Give one of list, show, replay, discard')
  if (kind === 'show' && name === undefined)
    throw usageFailure('show needs a record: <topic/partition/offset>')
  if (kind === 'list' && name !== undefined)
    throw usageFailure('list takes filters; show takes the name of a record')
  if (name !== undefined && !/^[^/]+\/\d+\/\d+$/.test(name))
    throw usageFailure(`"${name}" names no record: give <topic/partition/offset>, as list prints it`)
  const { tenant, code, by } = values
  const wasNarrowed = [name, tenant, code, values.from, values.to].some((each) => each !== undefined)
  if ((kind === 'replay' || kind === 'discard') && !wasNarrowed && !values.all)
    throw usageFailure(`${kind} needs a record or a filter; --all takes every open one`)
  const state = states.find((each) => each === (values.state ?? (name === undefined ? 'open' : 'all')))
  if (state === undefined) throw usageFailure(`--state is one of ${states.join(', ')}, not "${values.state}"`)
  const from = readTime('--from', values.from)
  const to = readTime('--to', values.to)
  const limit = readLimit(values.limit) ?? (kind === 'list' ? 100 : undefined)
  const filter = {
    state,
    ...(name === undefined ? {} : { name }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(code === undefined ? {} : { code }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(limit === undefined ? {} : { limit }),
  }
  return { kind, filter, dryRun: values['dry-run'], by }
}

const options = {
  tenant: { type: 'string' },
  code: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  limit: { type: 'string' },
  state: { type: 'string' },
  by: { type: 'string' },
  all: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
} as const

function readTime(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const micros = parseInstant(text)
  if (micros === undefined)
    throw usageFailure(`${option} is no RFC 3339 instant, such as 2026-11-21T12:00:00Z: "${text}"`)
  return micros
}

function readLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^[1-9]\d{0,8}$/.test(text)) throw usageFailure(`--limit is a number from 1, not "${text}"`)
  return Number(text)
}
