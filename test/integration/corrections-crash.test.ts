import { expect, test, vi } from 'vitest'
import { patience } from './aggregator-room.ts'
import { correcting, event, openCorrectionsRoom, voiding } from './corrections-room.ts'

const ids = Array.from({ length: 120 }, (_, index) => `id-${index}`)

test.concurrent.each(['decided', 'raw-inserted', 'ledger-inserted'])(
  'killed with -9 after the step "%s", corrections count once, and nothing that they supersede',
  async (step) => {
    const room = await openCorrectionsRoom('corrcrash')
    try {
      await room.producer.send(ids.map((id) => event(id, 1)))
      await room.producer.send(ids.map((id) => correcting(id, 1, 10)))
      const victim = await room.startFaulty({ TIDEMARK_FAULT_STEP: step, TIDEMARK_FAULT_COUNT: '9' })
      // Some partitions have been processed and some have not when the rest comes.
      await room.producer.send(
        ids.map((id, index) => (index % 2 === 0 ? voiding(id, 2) : correcting(id, 3, 100))),
      )
      await room.producer.send(ids.flatMap((id) => [event(id, 1), correcting(id, 2, 7), voiding(id, 3)]))
      // More of it, until the step has been reached often enough.
      let more = 0
      await vi.waitFor(async () => {
        more += 1
        if (victim.process.signalCode === null)
          await room.producer.send(ids.map((id) => event(`${id}-${more}`, 0)))
        expect(victim.process.signalCode).not.toBeNull()
      }, patience)
      expect((await room.ended(victim)).signal).toBe('SIGKILL')

      const service = await room.start()
      await room.drained()
      // Even ones: void 2, then stale 2 is a conflict, void 3 counts. Odd ones: 100 stays; revision 3 once more is a conflict.
      const expected = ['0 customer-1 6000']
      expect(await room.usage()).toEqual({ read: expected, recomputed: expected })
      expect(await room.truth()).toMatchObject({
        missing: 0,
        conflict: 120,
        rejected: 60,
        unmatched: 0,
        byIdentityOff: 0,
        byCellOff: 0,
      })
      expect(await room.differences()).toBe(0)
      expect(await service.stop()).toBe(0)
    } finally {
      await room.close()
    }
  },
)
