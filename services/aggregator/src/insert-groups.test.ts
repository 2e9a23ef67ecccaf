import { expect, test } from 'vitest'
import type { TableRows } from './event-row.ts'
import { createInsertGroups } from './insert-groups.ts'

const rowsOf = (table: string, text: string): TableRows => ({
  table,
  columns: ['a'],
  bytes: Buffer.from(text),
})
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A server whose answers the test gives by hand. */
function heldServer() {
  const inserts: { table: string; text: string; accept(): void; refuse(error: Error): void }[] = []
  const insert = createInsertGroups(
    ({ table, bytes }) =>
      new Promise((accept, refuse) => {
        inserts.push({ table, text: Buffer.from(bytes).toString(), accept, refuse })
      }),
  )
  const settled: string[] = []
  const write = (table: string, text: string): void => {
    insert(rowsOf(table, text)).then(
      () => settled.push(`${text.slice(0, 5)} ok`),
      (error: Error) => settled.push(`${text.slice(0, 5)} ${error.message}`),
    )
  }
  return { inserts, settled, write }
}

test('what comes while an insert of its table is under way goes together in the next', async () => {
  const { inserts, settled, write } = heldServer()
  for (const text of ['a', 'b', 'c']) write('events', text)
  write('ledger', 'l')
  await turn()
  expect(inserts.map(({ table, text }) => `${table} ${text}`)).toEqual(['events a', 'ledger l'])
  inserts[0]?.accept()
  await turn()
  expect(inserts.map(({ text }) => text)).toEqual(['a', 'l', 'bc'])
  expect(settled).toEqual(['a ok'])
  inserts[2]?.accept()
  await turn()
  expect(settled).toEqual(['a ok', 'b ok', 'c ok'])
})

test('a failure is told to each of them, and the next insert is tried', async () => {
  const { inserts, settled, write } = heldServer()
  write('events', 'a')
  write('events', 'b')
  write('events', 'c')
  await turn()
  inserts[0]?.accept()
  await turn()
  inserts[1]?.refuse(new Error('away'))
  await turn()
  expect(settled).toEqual(['a ok', 'b away', 'c away'])
  write('events', 'b')
  await turn()
  expect(inserts.map(({ text }) => text)).toEqual(['a', 'bc', 'b'])
})

test('a large insert waits for none, and groups stay below the bound', async () => {
  const { inserts, write } = heldServer()
  write('events', 'a')
  write('events', 'x'.repeat(2_000_000))
  write('events', 'y'.repeat(800_000))
  write('events', 'z'.repeat(800_000))
  await turn()
  expect(inserts.map(({ text }) => text.length)).toEqual([1, 2_000_000])
  inserts[0]?.accept()
  await turn()
  inserts[2]?.accept()
  await turn()
  expect(inserts.map(({ text }) => text.length)).toEqual([1, 2_000_000, 800_000, 800_000])
})
