import { expect, test, vi } from 'vitest'
import { usageEvent } from '../usage-producer.ts'
import { exactly, openAggregatorRoom, patience } from './aggregator-room.ts'

const steps = ['decoded', 'decided', 'raw-inserted', 'ledger-inserted', 'state-committed', 'offset-committed']

/** 300 events, every tenth of them twice. */
const round = (name: string) =>
  Array.from({ length: 330 }, (_, at) => usageEvent({ id: `${name}-${at < 300 ? at : (at - 300) * 10}` }))

test.concurrent.each(steps)(
  'killed with -9 after the step "%s", the aggregator loses and doubles nothing',
  async (step) => {
    const room = await openAggregatorRoom('crash')
    try {
      await room.producer.send(round('a'))
      const victim = await room.startFaulty({ TIDEMARK_FAULT_STEP: step, TIDEMARK_FAULT_COUNT: '3' })
      const isDead = () => victim.process.signalCode !== null
      await vi.waitFor(async () => {
        if (!isDead()) expect((await room.truth()).missing).toBe(0)
      }, patience)
      // The offset of a batch is known to be committed when the next one of the partition comes.
      await room.producer.send(round('b'))
      expect((await room.ended(victim)).signal).toBe('SIGKILL')

      await room.producer.send(round('c'))
      const service = await room.start()
      await room.drained()
      expect(await room.truth()).toEqual(exactly(900))
      expect(await service.stop()).toBe(0)
    } finally {
      await room.close()
    }
  },
)
