import type { TableRows } from './event-row.ts'

export type InsertRows = (rows: TableRows) => Promise<void>
/** One insert of what belongs to one table. */
export type InsertTogether = (
  table: string,
  columns: readonly string[],
  blocks: readonly Uint8Array[],
) => Promise<void>

type Waiting = { rows: TableRows; resolve(): void; reject(error: unknown): void }
type Group = { isWriting: boolean; waiting: Waiting[] }

/** An insert of so many bytes is large enough; more would only take longer until it is acknowledged. */
const groupedBytes = 16_777_216

/**
 * Group commit: while an insert into a table is under way, those of other partitions collect and go together. Each insert
 * costs the server a part of the table, which it has to merge later, so that several cost more than all their rows. It is
 * acknowledged, or fails, for all of them alike.
 */
export function createInsertGroups(insert: InsertTogether): InsertRows {
  const groups = new Map<string, Group>()

  async function write(group: Group): Promise<void> {
    group.isWriting = true
    while (group.waiting.length > 0) {
      const together = takeTogether(group.waiting)
      try {
        await insertAll(together.map(({ rows }) => rows))
        for (const { resolve } of together) resolve()
      } catch (error) {
        for (const { reject } of together) reject(error)
      }
    }
    group.isWriting = false
  }

  /** A table's rows always have the same columns. */
  async function insertAll(all: readonly TableRows[]): Promise<void> {
    const [first] = all
    if (first === undefined) return
    await insert(
      first.table,
      first.columns,
      all.map(({ bytes }) => bytes),
    )
  }

  return (rows) => {
    if (rows.bytes.length === 0) return Promise.resolve()
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
