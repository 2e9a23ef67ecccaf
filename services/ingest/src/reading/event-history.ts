/** A record of the ledger as far as its history goes. */
export type HistoryRow = {
  readonly verdict: 'accepted' | 'duplicate' | 'conflict' | 'correction' | 'rejected'
  /** Empty of a void, which counts nowhere. */
  readonly type: string
}

/** What an event said at some time: as it was accepted, or as a correction left it. */
export type Version<Row> = {
  readonly row: Row
  readonly action: 'none' | 'void' | 'correct'
  /** The correction that took it out of force; undefined of the last one. */
  readonly supersededBy: Row | undefined
}

/**
 * The versions of the first accepted event among the copies of one identity, in the order in which they were in force.
 * Corrections follow one another in the log, each superseding the one before it, up to where the identity is accepted
 * again (after the horizon).
 * @param rows in the order of the log
 */
export function versionsOf<Row extends HistoryRow>(rows: readonly Row[]): Version<Row>[] {
  const from = rows.findIndex(({ verdict }) => verdict === 'accepted')
  if (from < 0) return []
  const again = rows.findIndex(({ verdict }, index) => index > from && verdict === 'accepted')
  const chain = rows
    .slice(from, again < 0 ? rows.length : again)
    .filter(({ verdict }) => verdict === 'accepted' || verdict === 'correction')
  return chain.map((row, index) => ({ row, action: actionOf(row), supersededBy: chain[index + 1] }))
}

function actionOf({ verdict, type }: HistoryRow): Version<HistoryRow>['action'] {
  if (verdict === 'accepted') return 'none'
  return type === '' ? 'void' : 'correct'
}
