import type { TableRows } from './event-row.ts'

export type InsertRows = (rows: TableRows) => Promise<void>

type Waiting = { rows: TableRows; resolve(): void; reject(error: unknown): void }
type Group = { isWriting: boolean; waiting: Waiting[] }

/** Together they are one insert; a larger one goes by itself, at once: it gains nothing, and would have to be copied. */
const groupedBytes = 1_048_576

/**
 * Group commit: while an insert into a table is under way, small ones of other partitions collect and go together. Each
 * insert costs the server a part of the table, which it has to merge later, so that many small ones cost more than all their
 * rows. It is acknowledged, or fails, for all of them alike.
 */
export function createInsertGroups(insert: InsertRows): InsertRows {
  const groups = new Map<string, Group>()

  async function write(group: Group): Promise<void> {
    group.isWriting = true
    while (group.waiting.length > 0) {
      const together = takeTogether(group.waiting)
      try {
        await insert(joined(together.map(({ rows }) => rows)))
        for (const { resolve } of together) resolve()
      } catch (error) {
        for (const { reject } of together) reject(error)
      }
    }
    group.isWriting = false
  }

  return (rows) => {
    if (rows.bytes.length === 0) return Promise.resolve()
    if (rows.bytes.length > groupedBytes) return insert(rows)
    const group = groups.get(rows.table) ?? { isWriting: false, waiting: [] }
    groups.set(rows.table, group)
    return new Promise((resolve, reject) => {
      group.waiting.push({ rows, resolve, reject })
      if (!group.isWriting) void write(group)
    })
  }
}

function takeTogether(waiting: Waiting[]): Waiting[] {
  let bytes = 0
  let count = 0
  for (const { rows } of waiting) {
    if (count > 0 && bytes + rows.bytes.length > groupedBytes) break
    bytes += rows.bytes.length
    count += 1
  }
  return waiting.splice(0, count)
}

/** Rows of one table: a table's rows always have the same columns. */
function joined(all: readonly TableRows[]): TableRows {
  const [first, ...others] = all
  if (first === undefined) throw new RangeError('no rows to insert')
  return others.length === 0 ? first : { ...first, bytes: Buffer.concat(all.map(({ bytes }) => bytes)) }
}
