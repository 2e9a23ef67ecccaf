import { rm } from 'node:fs/promises'
import { identityKey } from '@tidemark/schemas/event-identity.ts'
import { expect, test, vi } from 'vitest'
import { patience } from './aggregator-room.ts'
import {
  begin,
  type CorrectionsRoom,
  correcting,
  event,
  hour,
  openCorrectionsRoom,
  voiding,
} from './corrections-room.ts'

async function inRoom(work: (room: CorrectionsRoom) => Promise<void>): Promise<void> {
  const room = await openCorrectionsRoom('corrections')
  try {
    await work(room)
  } finally {
    await room.close()
  }
}

test.concurrent('corrections supersede in order of revision, and what repeats or comes late changes nothing', () =>
  inRoom(async (room) => {
    const service = await room.start()
    const history = [
      voiding('a', 1),
      event('a', 1),
      correcting('a', 1, 2),
      correcting('a', 1, 2),
      correcting('a', 1, 3),
      event('a', 1),
      correcting('a', 4, 5),
      correcting('a', 2, 2),
      voiding('a', 4),
      voiding('a', 5),
      voiding('a', 5),
      correcting('a', 6, 1),
      event('a', 7),
    ]
    const said = [
      'rejected',
      'accepted 1',
      'correction 1',
      'duplicate 2',
      'conflict 2',
      'duplicate 1',
      'correction 1',
      'rejected',
      'conflict 6',
      'correction 1',
      'duplicate 9',
      'correction 1',
      'conflict 1',
    ]
    const values = ['', '1', '2', '2', '2', '2', '5', '5', '5', '', '', '1', '1']
    for (const [index, record] of history.entries()) {
      await room.producer.send([record])
      await room.drained()
      const expected = values[index] === '' ? [] : [`0 customer-1 ${values[index]}`]
      expect(await room.usage()).toEqual({ read: expected, recomputed: expected })
    }
    expect(await room.verdicts()).toEqual(said)
    expect(await room.differences()).toBe(0)
    await service.stop()
  }))

test.concurrent('a correction may move an event to another hour, subject and type, and all cells are sealed again', () =>
  inRoom(async (room) => {
    const service = await room.start({
      AGGREGATOR_SEALING_QUIET_MS: '0',
      AGGREGATOR_SEALING_INTERVAL_MS: '200',
    })
    const sealedAs = (expected: string[]) =>
      vi.waitFor(async () => expect(await room.sealed()).toEqual(expected), patience)
    await room.producer.send([event('a', 1), event('b', 10), event('c', 100, { time: begin + hour })])
    await sealedAs(['0 11', '1 100'])
    await room.producer.send([correcting('a', 1, 2, { time: begin + hour, subject: 'customer-2' })])
    await sealedAs(['0 10', '1 102'])
    await room.producer.send([correcting('b', 1, 20, { type: 'other' })])
    await sealedAs(['0 0', '1 102'])
    await room.producer.send([voiding('a', 2), correcting('b', 2, 30, { time: begin + 2 * hour })])
    await sealedAs(['0 0', '1 100', '2 30'])
    const expected = ['1 customer-1 100', '2 customer-1 30']
    expect(await room.usage()).toEqual({ read: expected, recomputed: expected })
    expect(await room.differences()).toBe(0)
    await service.stop()
  }))

test.concurrent('with its state lost, and from the beginning with its tables lost, it decides as it did', () =>
  inRoom(async (room) => {
    const ids = Array.from({ length: 60 }, (_, index) => `id-${index}`)
    const first = await room.start()
    await room.producer.send(ids.map((id) => event(id, 1)))
    await room.producer.send(ids.map((id) => correcting(id, 2, 2)))
    await room.drained()
    await first.stop()
    await rm(room.stateDirectory, { recursive: true })
    const second = await room.start()
    await room.producer.send(
      ids.map((id, index) => (index % 3 === 0 ? voiding(id, 3) : correcting(id, 1, 9))),
    )
    await room.producer.send(ids.map((id) => event(id, 1)))
    await room.drained()
    await second.stop()
    const expected = ['0 customer-1 80']
    expect(await room.usage()).toEqual({ read: expected, recomputed: expected })
    const rowsOf = async () =>
      Promise.all(tables.map((table) => room.clickHouse.query(`SELECT * FROM ${table} FINAL ORDER BY ALL`)))
    const before = await rowsOf()
    for (const table of tables) await room.clickHouse.command(`TRUNCATE TABLE ${table}`)
    const third = await room.start()
    await room.drained()
    await third.stop()
    expect(await rowsOf()).toEqual(before)
    expect(await room.differences()).toBe(0)
  }))

const tables = [
  'usage_events',
  'usage_corrections',
  'usage_ledger',
  'usage_ledger_by_identity',
  'usage_ledger_by_cell',
]

test.concurrent('an original that no state knows any more is found in the ledger, of earlier logs too', () =>
  inRoom(async (room) => {
    const old = event('old', 1, { time: begin - 100 * 24 * hour })
    const identity = identityKey(old.tenantNumber, old.source, old.id).toString('hex')
    // As another log left it: five partitions had other numbers then.
    const row = `0 AS log, 7 AS partition, 5 AS offset, 'accepted' AS verdict, toFixedString('', 16) AS payload_hash`
    await room.clickHouse.command(
      `INSERT INTO usage_ledger_by_identity (identity, log, partition, offset, verdict, payload_hash)
       SELECT unhex({identity:String}), ${row}`,
      { identity },
    )
    await room.clickHouse.command(
      `INSERT INTO usage_ledger (identity, log, partition, offset, verdict, payload_hash, tenant, type, hour)
       SELECT unhex({identity:String}), ${row}, 'acme', 'request', toDateTime({hour:UInt32}, 'UTC')`,
      { identity, hour: old.time / 1_000_000 },
    )
    const service = await room.start()
    await room.producer.send([correcting('old', 1, 2), voiding('never', 1), voiding('old', 2)])
    await room.drained()
    const rows = await room.clickHouse.query(
      `SELECT superseded_log, type, toUnixTimestamp(superseded_hour) AS hour, action, revision
       FROM usage_corrections FINAL ORDER BY revision`,
    )
    expect(rows).toEqual([
      {
        superseded_log: 0,
        type: 'request',
        hour: old.time / 1_000_000,
        action: 'correct',
        revision: 1,
      },
      { superseded_log: 1, type: 'request', hour: begin / 1_000_000, action: 'void', revision: 2 },
    ])
    await service.stop()
  }))
