/**
 * Tables that say again, in another order, what the ledger says: which rows of them follow from a row of the ledger. Where
 * they differ the ledger is right, and they are made anew out of it.
 */
export type CopyKind = 'identity_copy' | 'cell_copy' | 'corrections'

/** One row that a row of the ledger stands for, as expressions over the ledger's columns. */
type CopyRow = {
  readonly values: Readonly<Record<string, string>>
  readonly when: string
}

export type CopyTable = {
  readonly kind: CopyKind
  readonly table: string
  /** The column that says which hour a row is of. */
  readonly hour: string
  readonly rows: readonly CopyRow[]
}

const asTheyAre = (...columns: readonly string[]): Record<string, string> =>
  Object.fromEntries(columns.map((column) => [column, column]))

const place = asTheyAre('log', 'partition', 'offset')

/** A number, so that the two tables' enumerations need not be alike. */
const verdict = { verdict: "CAST(verdict, 'Int8')" }
const mark = 'toInt8(6)'

/** A correction that counts in the cell in which it supersedes has one row there. */
const isOneCell = "(verdict = 'correction' AND superseded_type = type AND superseded_hour = hour)"
const counts = "(verdict IN ('accepted', 'correction') AND type != '')"

export const copyTables: readonly CopyTable[] = [
  {
    kind: 'identity_copy',
    table: 'usage_ledger_by_identity',
    hour: 'hour',
    rows: [
      {
        values: {
          ...asTheyAre('identity', 'payload_hash', 'revision', 'append_time', 'hour'),
          ...place,
          ...verdict,
        },
        when: "identity != toFixedString('', 20)",
      },
    ],
  },
  {
    kind: 'cell_copy',
    table: 'usage_ledger_by_cell',
    hour: 'hour',
    rows: [
      {
        values: {
          ...asTheyAre('tenant', 'type', 'hour', 'payload_hash'),
          ...place,
          ...verdict,
          supersedes: `toUInt8(${isOneCell})`,
        },
        when: counts,
      },
      {
        values: {
          ...asTheyAre('tenant', 'payload_hash'),
          type: 'superseded_type',
          hour: 'superseded_hour',
          ...place,
          verdict: mark,
          supersedes: 'toUInt8(1)',
        },
        when: `verdict = 'correction' AND NOT ${isOneCell}`,
      },
    ],
  },
  {
    // What is superseded is not in the ledger: it is the accepted row or correction before this one, by identity.
    kind: 'corrections',
    table: 'usage_corrections',
    hour: 'superseded_hour',
    rows: [
      {
        values: {
          tenant: 'tenant',
          type: 'superseded_type',
          superseded_hour: 'superseded_hour',
          ...place,
          action: "if(type = '', 'void', 'correct')",
          revision: 'revision',
        },
        when: "verdict = 'correction'",
      },
    ],
  },
]

export function copyTable(kind: CopyKind): CopyTable {
  const found = copyTables.find((table) => table.kind === kind)
  if (found === undefined) throw new RangeError(`${kind} is no copy of the ledger`)
  return found
}

const columnsOf = ({ rows }: CopyTable): string[] => Object.keys(rows[0]?.values ?? {}).sort()

const hashOf = (expressions: readonly string[]): string =>
  `reinterpretAsUInt128(sipHash128(${expressions.join(', ')}))`

/** The hash of a row of the copy, over its own columns. */
export const copyHash = (table: CopyTable): string =>
  hashOf(columnsOf(table).map((column) => (column === 'verdict' ? verdict.verdict : column)))

/** The same hash of a row that follows from the ledger, over the ledger's columns. */
export const expectedHash = (table: CopyTable, { values }: CopyRow): string =>
  hashOf(columnsOf(table).map((column) => values[column] ?? "''"))

/** Expression over the ledger for the copy's hour. */
export const expectedHour = ({ hour }: CopyTable, { values }: CopyRow): string => values[hour] ?? hour

/** An INSERT that writes what the ledger's rows stand for; the same rows again change nothing. */
export const insertFromLedger = (
  table: CopyTable,
  where: string,
  into = table.table,
  ledger = 'usage_ledger',
): string => {
  const columns = columnsOf(table)
  const selects = table.rows.map(
    ({ values, when }) =>
      `SELECT ${columns.map((column) => `${values[column] ?? "''"} AS c_${column}`).join(', ')}
       FROM ${ledger} WHERE ${where} AND ${when}`,
  )
  return `INSERT INTO ${into} (${columns.join(', ')}) ${selects.join('\nUNION ALL\n')}`
}
