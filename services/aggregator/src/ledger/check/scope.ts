import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { atCut, type Sql } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'

/** What is checked: everything below a cut, or of it one tenant's, or the events of some hours. */
export type CheckScope = {
  readonly cut: Cut
  readonly tenant: string | undefined
  /** Seconds since 1970, whole hours, half-open, by the events' own time. */
  readonly fromHour: number | undefined
  readonly toHour: number | undefined
  /** Whether payload hashes are taken anew of every raw event: most of the work. */
  readonly payloads: boolean
}

/** Tables that keep their rows per offset are compared by stretches of so many. */
export const offsetsPerSlice = 500_000n

/** Counts and hashes of rows by `<log>/<partition>/<stretch>`: equal ones are the same rows. */
export type SliceSums = Map<string, { count: bigint; hash: bigint }>

export const sliceName = (log: number, partition: number, slice: bigint | string): string =>
  `${log}/${partition}/${slice}`

export function addSum(sums: SliceSums, name: string, count: bigint, hash: bigint): void {
  const held = sums.get(name) ?? { count: 0n, hash: 0n }
  sums.set(name, { count: held.count + count, hash: BigInt.asUintN(128, held.hash + hash) })
}

/** Rows that are in the scope, by their column tenant and what says their hour. */
export const inScope = ({ tenant, ...hours }: CheckScope, hour: string): string =>
  [
    'true',
    ...(tenant === undefined ? [] : ['tenant = {scopeTenant:String}']),
    ...hourConditions(hours, hour),
  ].join(' AND ')

export const scopeParams = ({ tenant, fromHour, toHour }: CheckScope): Record<string, string | number> => ({
  ...(tenant === undefined ? {} : { scopeTenant: tenant }),
  ...(fromHour === undefined ? {} : { scopeFrom: fromHour }),
  ...(toHour === undefined ? {} : { scopeTo: toHour }),
})

type Hours = Pick<CheckScope, 'fromHour' | 'toHour'>

export const hourConditions = ({ fromHour, toHour }: Hours, hour = 'hour'): string[] => [
  ...(fromHour === undefined ? [] : [`toUnixTimestamp(${hour}) >= {scopeFrom:UInt32}`]),
  ...(toHour === undefined ? [] : [`toUnixTimestamp(${hour}) < {scopeTo:UInt32}`]),
]

export const belowCut = ({ cut }: CheckScope): Sql => atCut(cut)

/** Slow by choice: a check must not take from the service what it needs. */
export const gently = 'SETTINGS max_threads = 2, do_not_merge_across_partitions_select_final = 1'

export type CheckSources = { readonly clickHouse: ClickHouse }

export const sliceTimeout = { timeoutMs: 600_000 }
