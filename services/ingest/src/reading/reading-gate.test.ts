import { expect, test } from 'vitest'
import { createReadingGate } from './reading-gate.ts'

/** Reads that go on until they are told to end. */
function openReads() {
  const gate = createReadingGate()
  const ends: (() => void)[] = []
  const read = (tenant: string) =>
    gate(tenant, () => new Promise<string>((resolve) => ends.push(() => resolve(tenant))))
  return { gate, read, end: () => ends.shift()?.() }
}

test('a tenant has two reads at a time, and takes no place from others', async () => {
  const { read, end } = openReads()
  const first = read('acme')
  void read('acme')
  await expect(read('acme')).rejects.toMatchObject({ status: 429, code: 'too_many_reads' })
  void read('other')
  end()
  await expect(first).resolves.toBe('acme')
  void read('acme')
  await expect(read('acme')).rejects.toMatchObject({ code: 'too_many_reads' })
})

test('all together have six, and one that fails leaves its place', async () => {
  const { gate, read } = openReads()
  for (const tenant of ['a', 'a', 'b', 'b', 'c']) void read(tenant)
  const failed = gate('c', () => Promise.reject(new Error('away')))
  await expect(read('d')).rejects.toMatchObject({ status: 503, code: 'reading_busy' })
  await expect(failed).rejects.toThrow('away')
  void read('d')
  await expect(read('e')).rejects.toMatchObject({ code: 'reading_busy' })
})
