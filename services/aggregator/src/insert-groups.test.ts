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
    (table, _columns, blocks) =>
      new Promise((accept, refuse) => {
        inserts.push({ table, text: Buffer.concat(blocks).toString(), accept, refuse })
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

test('groups stay below the bound; what is larger goes by itself', async () => {
  const { inserts, write } = heldServer()
  write('events', 'a')
  for (const [text, bytes] of [
    ['x', 20_000_000],
    ['y', 9_000_000],
    ['z', 7_000_000],
    ['b', 800_000],
  ] as const)
    write('events', text.repeat(bytes))
  const lengths: number[] = []
  for (let at = 0; at < 4; at += 1) {
    await turn()
    lengths.push(inserts[at]?.text.length ?? 0)
    inserts[at]?.accept()
  }
  expect(lengths).toEqual([1, 20_000_000, 16_000_000, 800_000])
})
