import { afterAll, beforeAll, expect, test } from 'vitest'
import { createInstallation, type Installation, type TestTenant } from '../installation.ts'
import {
  openKafka,
  postEvents,
  type RunningIngest,
  readUsageEvents,
  sampleEvent,
  startIngest,
} from './ingest-room.ts'
import { malformedBodies } from './malformed-bodies.ts'
import { malformedEvents } from './malformed-events.ts'

const goodEvents = 10_000
const eventsPerBody = 50
/** Ids that must be in the log, once each, and no others. */
const accepted: string[] = []
let installation: Installation
let ingest: RunningIngest
let acme: TestTenant

beforeAll(async () => {
  installation = await createInstallation('malformed')
  acme = await installation.createTenant('acme')
  ingest = await startIngest(installation.env)
})

afterAll(async () => {
  await ingest?.stop()
  await installation?.remove()
})

function makeBatch(count: number): { texts: string[]; accept(): void } {
  const events = Array.from({ length: count }, () => sampleEvent())
  return {
    texts: events.map((event) => JSON.stringify(event)),
    accept: () => void accepted.push(...events.map(({ id }) => String(id))),
  }
}

const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
  postEvents(ingest.url, body, { key: acme.key, headers })

test(`of ${goodEvents} events and one malformed in each of ${malformedEvents.length} ways, each is told its reason and all others are accepted`, async () => {
  const perBatch = Math.ceil(goodEvents / malformedEvents.length)
  for (const [at, { way, text, code, field }] of malformedEvents.entries()) {
    const { texts, accept } = makeBatch(perBatch)
    const index = (at * 31) % perBatch
    const id = JSON.stringify(`malformed-${at}`)
    const body = `[${texts.toSpliced(index, 0, text(id)).join(',')}]`
    const fault = { index, status: 'rejected', code, field, message: expect.stringMatching(/\.$/) }
    expect(await post(body), way).toMatchObject({
      status: 202,
      body: { accepted: perBatch, duplicates: 0, rejected: 1, results: [fault] },
    })
    accept()
  }
})

test.each(malformedBodies)(
  'a body with $way is refused as a whole with the reason, and taken once it is sound',
  async ({ body, headers, status, code, position }) => {
    const { texts, accept } = makeBatch(eventsPerBody)
    const sound = `[${texts.join(',')}]`
    const where = position === undefined ? {} : { position: position(sound) }
    expect(await post(body(sound), headers)).toMatchObject({ status, body: { status, code, ...where } })
    expect(await post(sound)).toMatchObject({ status: 202, body: { accepted: eventsPerBody } })
    accept()
  },
)

test('all that was accepted is in the log once, and nothing else is', async () => {
  const kafka = openKafka(installation.env)
  const logged = (await readUsageEvents(kafka, installation.prefix)).map(({ id }) => id)
  await kafka.disconnect()
  expect(logged.sort()).toEqual(accepted.sort())
})
