import type { Place } from '../../place.ts'
import { type CopyKind, copyHash, copyTable, expectedHash, expectedHour } from '../copy-rows.ts'
import type { CopyFault } from './difference.ts'
import { type IdentityRange, identityRanges } from './identity-ranges.ts'
import { type OffsetSlice, ofSlice, sliceParams } from './ledger-slices.ts'
import {
  addSum,
  belowCut,
  type CheckScope,
  type CheckSources,
  gently,
  hourConditions,
  inScope,
  offsetsPerSlice,
  type SliceSums,
  scopeParams,
  sliceName,
  sliceTimeout,
} from './scope.ts'

/** Rows of the copy by identity that one statement reads. */
const rowsPerRange = 500_000

/** All identities in ranges, or those of one tenant; none where its number is not known. */
export async function readIdentityRanges(
  { clickHouse }: CheckSources,
  tenantNumber: string | undefined,
): Promise<IdentityRange[]> {
  const ofTenant = tenantNumber === undefined ? 'true' : isOfTenant(tenantNumber)
  const tenants = await clickHouse.query<{ tenant: string; rows: number }>(
    `SELECT hex(substring(identity, 1, 4)) AS tenant, toFloat64(count()) AS rows
     FROM usage_ledger_by_identity WHERE ${ofTenant} GROUP BY tenant ORDER BY tenant ${gently}`,
    {},
    sliceTimeout,
  )
  return identityRanges(tenants, rowsPerRange)
}

/** Hexadecimal digits of the tenant's number, which leads its identities; undefined where the ledger has none of it. */
export async function findTenantNumber(
  { clickHouse }: CheckSources,
  tenant: string,
): Promise<string | undefined> {
  const [row] = await clickHouse.query<{ number: string }>(
    `SELECT hex(substring(identity, 1, 4)) AS number FROM usage_ledger
     WHERE tenant = {tenant:String} AND identity != toFixedString('', 20) LIMIT 1`,
    { tenant },
    sliceTimeout,
  )
  return row?.number
}

const isOfTenant = (number: string): string => `hex(substring(identity, 1, 4)) = '${number}'`

/** Adds up what the copy by identity holds in a range, each row once however often it was written. */
export async function sumIdentities(
  { clickHouse }: CheckSources,
  scope: CheckScope,
  { from, to }: IdentityRange,
  tenantNumber: string | undefined,
  sums: SliceSums,
): Promise<void> {
  const cut = belowCut(scope)
  const where = [
    `identity >= CAST(unhex('${from}'), 'FixedString(20)')`,
    ...(to === undefined ? [] : [`identity < CAST(unhex('${to}'), 'FixedString(20)')`]),
    ...(tenantNumber === undefined ? [] : [isOfTenant(tenantNumber)]),
    cut.sql,
    ...hourConditions(scope, 'hour'),
  ]
  const rows = await clickHouse.query<SumRow>(
    `SELECT log, partition, toString(intDiv(offset, ${offsetsPerSlice})) AS slice,
       toString(count()) AS rows, toString(sum(row_hash)) AS hash
     FROM (
       SELECT log, partition, offset, any(${copyHash(copyTable('identity_copy'))}) AS row_hash
       FROM usage_ledger_by_identity WHERE ${where.join(' AND ')} GROUP BY identity, log, partition, offset
     ) GROUP BY log, partition, slice ${gently}, optimize_aggregation_in_order = 1`,
    { ...cut.params, ...scopeParams(scope) },
    sliceTimeout,
  )
  addRows(sums, rows)
}

/** Corrections are few: one statement reads them all. */
export async function sumCorrections(
  { clickHouse }: CheckSources,
  scope: CheckScope,
  sums: SliceSums,
): Promise<void> {
  const cut = belowCut(scope)
  const rows = await clickHouse.query<SumRow>(
    `SELECT log, partition, toString(intDiv(offset, ${offsetsPerSlice})) AS slice,
       toString(count()) AS rows, toString(sum(${copyHash(copyTable('corrections'))})) AS hash
     FROM usage_corrections FINAL WHERE ${inScope(scope, 'superseded_hour')} AND ${cut.sql}
     GROUP BY log, partition, slice ${gently}`,
    { ...cut.params, ...scopeParams(scope) },
    sliceTimeout,
  )
  addRows(sums, rows)
}

export type SumRow = { log: number; partition: number; slice: string; rows: string; hash: string }

export function addRows(sums: SliceSums, rows: readonly SumRow[]): void {
  for (const { log, partition, slice, rows: count, hash } of rows)
    addSum(sums, sliceName(log, partition, slice), BigInt(count), BigInt(hash))
}

/** Slices where the ledger and a copy of it differ. */
export function differingSlices(ledger: SliceSums, copy: SliceSums): OffsetSlice[] {
  const none = { count: 0n, hash: 0n }
  const names = new Set([...ledger.keys(), ...copy.keys()])
  return [...names].sort().flatMap((name) => {
    const said = ledger.get(name) ?? none
    const held = copy.get(name) ?? none
    if (said.count === held.count && said.hash === held.hash) return []
    const [log = 0, partition = 0, slice = 0] = name.split('/').map(Number)
    const from = BigInt(slice) * offsetsPerSlice
    return [{ log, partition, from, to: from + offsetsPerSlice }]
  })
}

export type CopyDifference = { readonly place: Place; readonly fault: CopyFault }

/** Reads a slice that differs row by row, in the order of offsets, the first thousand. */
export async function findCopyDifferences(
  { clickHouse }: CheckSources,
  scope: CheckScope,
  kind: CopyKind,
  slice: OffsetSlice,
  tenantNumber: string | undefined,
): Promise<CopyDifference[]> {
  const table = copyTable(kind)
  const cut = belowCut(scope)
  const inCopy =
    kind === 'identity_copy'
      ? [...hourConditions(scope, 'hour'), ...(tenantNumber === undefined ? [] : [isOfTenant(tenantNumber)])]
      : [inScope(scope, table.hour)]
  const sides = [
    ...table.rows.map(
      (
        row,
      ) => `SELECT DISTINCT offset, ${expectedHash(table, row)} AS row_hash, toUInt8(1) AS side FROM usage_ledger
         WHERE ${[ofSlice, cut.sql, row.when, inScope(scope, expectedHour(table, row))].join(' AND ')}`,
    ),
    `SELECT DISTINCT offset, ${copyHash(table)} AS row_hash, toUInt8(2) AS side FROM ${table.table}
         WHERE ${[ofSlice, cut.sql, ...inCopy].join(' AND ')}`,
  ]
  const rows = await clickHouse.query<{ place: string; sides: number[] }>(
    `SELECT toString(at) AS place, groupUniqArray(only) AS sides FROM (
       SELECT offset AS at, row_hash, any(side) AS only FROM (${sides.join('\nUNION ALL\n')})
       GROUP BY at, row_hash HAVING count() = 1
     ) GROUP BY at ORDER BY at LIMIT 1000`,
    { ...sliceParams(slice), ...cut.params, ...scopeParams(scope) },
    sliceTimeout,
  )
  return rows.map(({ place, sides: only }) => ({
    place: { log: slice.log, partition: slice.partition, offset: BigInt(place) },
    fault: only.length > 1 ? 'differs' : only[0] === 1 ? 'missing' : 'surplus',
  }))
}
