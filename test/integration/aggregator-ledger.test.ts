import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identityText } from '@tidemark/aggregator/deduplication/decide.ts'
import { openState } from '@tidemark/aggregator/deduplication/state.ts'
import { catchUp } from '@tidemark/aggregator/ledger/catch-up.ts'
import {
  countContiguous,
  fetchLedgerRow,
  findByIdentity,
  findKeptFrom,
  streamLedger,
} from '@tidemark/aggregator/ledger/ledger.ts'
import { fetchLostRanges } from '@tidemark/aggregator/ledger/lost-ranges.ts'
import { type ClickHouse, createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createInstallation, type Installation } from '../installation.ts'

const dayMicros = 86_400_000_000
const hashOf = (offset: string) => `reinterpretAsFixedString(sipHash128(${offset}))`
// Offsets over a hundred days; each fifth is a duplicate.
const rows = 1_200_000n
const appendTime = (offset: string) =>
  `toDateTime64('2026-01-01 00:00:00', 6, 'UTC') + toIntervalSecond(intDiv(${offset} * 8640000, ${rows}))`

let installation: Installation
let clickHouse: ClickHouse
let directory: string

const insertLedger = (partition: number, where: string) =>
  clickHouse.command(
    `INSERT INTO usage_ledger (* EXCEPT (superseded_type, superseded_hour)) SELECT 1, ${partition}, number, if(number % 5 = 4, 'duplicate', 'accepted'),
       toFixedString(concat('0000', ${hashOf('number - (number % 5 = 4)')}), 20), ${hashOf('number')}, 0,
       1, ${partition}, number - (number % 5 = 4), ${appendTime('number')}, 'acme', 'request', toDateTime('2026-01-01 00:00:00', 'UTC')
     FROM numbers(${rows}) WHERE ${where}`,
  )

beforeAll(async () => {
  installation = await createInstallation('ledger')
  directory = await mkdtemp(join(tmpdir(), 'tidemark-ledger-'))
  clickHouse = createClickHouse({
    url: installation.env.CLICKHOUSE_URL ?? '',
    user: installation.env.CLICKHOUSE_USER ?? '',
    password: installation.env.CLICKHOUSE_PASSWORD ?? '',
    database: installation.database,
  })
})

afterAll(async () => {
  await clickHouse?.close()
  await installation?.remove()
  await rm(directory, { recursive: true, force: true })
})

async function rebuild(partition: number, keptDays: number) {
  const place = { log: 1, partition }
  const lost = await fetchLostRanges(clickHouse, place)
  const proven = await countContiguous(clickHouse, place, lost)
  const from = await findKeptFrom(clickHouse, place, proven, keptDays * dayMicros)
  const state = await openState(join(directory, `p-${partition}`), {
    // Longer than what is read: what the state lets go is not what is asked here.
    keptMicros: 365 * dayMicros,
    filterBytes: 1_048_576,
    onDamage: (cause) => {
      throw cause
    },
  })
  const { signal } = new AbortController()
  const caughtUp = await catchUp({
    partition: place,
    state,
    from,
    rows: streamLedger(clickHouse, place, from),
    lost,
    signal,
    onProgress: () => {},
  })
  return { proven, from, state, ...caughtUp }
}

test('a rebuild reads what still counts, and knows exactly that', async () => {
  await insertLedger(0, '1')
  // Written twice and not merged: rows of the same offset are one row.
  await insertLedger(0, 'number BETWEEN 950000 AND 1150000')
  const { proven, from, state, nextOffset, beyondGap } = await rebuild(0, 5)
  expect(proven).toBe(1_000_000n)
  // Five days before the end of what is counted; the rest is proved row by row.
  expect(from).toBe(939_999n)
  expect(nextOffset).toBe(1_200_000n)
  expect(beyondGap).toBeUndefined()
  const offsets = [939_998n, 940_000n, 1_199_998n, 1_199_999n, 5n]
  const ledger = await Promise.all(
    offsets.map((offset) => fetchLedgerRow(clickHouse, { log: 1, partition: 0 }, offset)),
  )
  const claims = await state.findClaims(ledger.map((row) => row?.identity ?? Buffer.alloc(20)))
  // Duplicates are known by the offset before them; what is older than kept is not known.
  expect(claims.map((claim) => claim?.first.offset)).toEqual([
    undefined,
    940_000n,
    1_199_998n,
    1_199_998n,
    undefined,
  ])
  expect(claims[1]?.payloadHash).toEqual(ledger[1]?.payloadHash)
  expect(state.position.last?.offset).toBe(1_199_999n)
  await state.close()
})

test('a gap ends the proof; once it is recorded as lost, the proof goes on', async () => {
  await insertLedger(1, 'number NOT BETWEEN 300000 AND 300009')
  const gapped = await rebuild(1, 5)
  expect(gapped).toMatchObject({ proven: 0n, nextOffset: 300_000n, beyondGap: 300_010n })
  await gapped.state.discard()
  await clickHouse.insert('usage_lost', [
    {
      log: 1,
      partition: 1,
      first_offset: 300_000n,
      last_offset: 300_009n,
      reason: 'planted',
      recorded_by: 'test',
      recorded_at: '2026-01-01T00:00:00Z',
    },
  ])
  const passed = await rebuild(1, 5)
  expect(passed).toMatchObject({ proven: 1_000_000n, nextOffset: 1_200_000n, beyondGap: undefined })
  await passed.state.close()
})

test('accepted records are found by identity, in every partition', async () => {
  await clickHouse.command(
    `INSERT INTO usage_ledger_by_identity SELECT identity, log, partition, offset, verdict, payload_hash, revision, append_time, hour
     FROM usage_ledger WHERE offset < 30000`,
  )
  const wanted = await clickHouse.query<{ identity: string }>(
    "SELECT DISTINCT hex(identity) AS identity FROM usage_ledger WHERE partition = 0 AND offset < 20000 AND verdict = 'accepted'",
  )
  const identities = [...wanted.map(({ identity }) => Buffer.from(identity, 'hex')), Buffer.alloc(20)]
  const found = await findByIdentity(clickHouse, identities)
  expect(found.size).toBe(16_000)
  const [first] = identities
  const claims = found.get(identityText(first ?? Buffer.alloc(20))) ?? []
  expect(new Set(claims.map(({ first: place }) => place.partition))).toEqual(new Set([0, 1]))
})
