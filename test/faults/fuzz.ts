import { randomUUID } from 'node:crypto'
import { Agent } from 'node:http'
import { readTopic } from '@tidemark/infra/kafka/topic-reader.ts'
import { unframe } from '@tidemark/infra/schema-registry/framing.ts'
import { usageEventsTopic } from '@tidemark/schemas/topics.ts'
import { type UsageEvent, usageEventType } from '@tidemark/schemas/usage-event.ts'
import { thousands } from '../demonstration/print.ts'
import type { Fault } from './fault.ts'
import { sendFuzzed, sendJunk } from './fuzz-answers.ts'
import { createRequests } from './fuzzed-request.ts'
import { type IngestRoom, openIngestRoom } from './ingest-process.ts'
import { createMemoryCheck } from './memory-check.ts'

const requestsPerStrike = 2_000
/** One in so many is hardly HTTP at all. */
const junkEvery = 50
const connections = 8
const expectedStatuses = [200, 202, 204, 400, 413, 415, 422]

/**
 * Lost and doubled: events that were said to be accepted, beside the records in the log. Any 5xx, any answer that is not
 * what the API promises, and memory that keeps growing end the run.
 */
export const fuzz: Fault = {
  about: `${thousands(requestsPerStrike)} requests with random bodies and headers: no 5xx, and memory does not grow`,
  strikes: 50,
  async open(context) {
    const room = await openIngestRoom('fuzz', context)
    const memory = createMemoryCheck(room.spawn().process)
    await room.untilReady()
    const agent = new Agent({ keepAlive: true })
    const target = { url: room.url, agent, key: room.key, uncountedKey: room.rememberedKey }
    let accepted = 0
    return {
      async strike(random) {
        const next = createRequests(random, randomUUID())
        const statuses = new Map(expectedStatuses.map((status) => [`answered${status}`, 0]))
        let left = requestsPerStrike
        const client = async (): Promise<void> => {
          while (left > 0) {
            left -= 1
            if (left % junkEvery === 0) {
              await sendJunk(target, next(), random)
              continue
            }
            const answer = await sendFuzzed(target, next())
            accepted += answer.accepted
            const name = `answered${answer.status}`
            statuses.set(name, (statuses.get(name) ?? 0) + 1)
          }
        }
        await Promise.all(Array.from({ length: connections }, client))
        room.assertAlive()
        const mbResidentAtMost = memory.check()
        const logged = await countLogged(room)
        return {
          lost: Math.max(0, accepted - logged),
          doubled: Math.max(0, logged - accepted),
          centsOff: 0,
          recoveryMs: 0,
          counts: { requests: requestsPerStrike, mbResidentAtMost, ...Object.fromEntries(statuses) },
        }
      },
      async close() {
        agent.destroy()
        await room.close()
      },
    }
  },
}

/** Records of the tenant whose events were counted. */
async function countLogged({ kafka, prefix, tenant }: IngestRoom): Promise<number> {
  let count = 0
  for await (const records of readTopic(kafka, prefix + usageEventsTopic))
    for (const { value } of records) {
      const framed = unframe(value)
      if (framed.kind === 'malformed') throw new Error(`a record is ${framed.reason}`)
      const event: UsageEvent = usageEventType.fromBuffer(framed.payload)
      if (event.tenant === tenant) count += 1
    }
  return count
}
