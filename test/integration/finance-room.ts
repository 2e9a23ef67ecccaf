import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeUsers } from '@tidemark/aggregator/finance/users-directory.ts'
import { type FinanceUsers, readFinanceUsers } from '@tidemark/aggregator/finance/users-file.ts'
import { userName } from '@tidemark/aggregator/finance/users-xml.ts'
import { clickhouseUsersFolder } from '@tidemark/infra/stack/places.ts'
import { freePorts } from '@tidemark/infra/stack/ports.ts'
import { type Stack, startStack } from '@tidemark/infra/stack/start-stack.ts'
import { inject } from 'vitest'
import { installOn } from '../installation.ts'
import { openUsageRoom, type UsageRoom } from './usage-room.ts'

type Answer = { ok: boolean; text: string; rows: Record<string, unknown>[] }

/** A usage room on a ClickHouse of its own, which reads its users anew when it is started again. */
export type FinanceRoom = UsageRoom & {
  /** Writes the users as the command does and starts ClickHouse again; a user's password is its name. */
  giveUsers(users: Record<string, string>, limits?: Partial<FinanceUsers['limits']>): Promise<void>
  /** Asks over HTTP as that user and as nobody else, without any setting. */
  ask(user: string, sql: string): Promise<Answer>
}

export async function openFinanceRoom(name: string): Promise<FinanceRoom> {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-finance-'))
  const { CLICKHOUSE_URL: _shared, ...env } = process.env
  const start = async (ports: Awaited<ReturnType<typeof freePorts>>): Promise<Stack> =>
    startStack({ dir, ports, servers: ['clickhouse'], env })
  const ports = await freePorts()
  let stack = await start(ports)
  const { CLICKHOUSE_URL = '', CLICKHOUSE_USER = '', CLICKHOUSE_PASSWORD = '' } = stack.environment
  const own = { CLICKHOUSE_URL, CLICKHOUSE_USER, CLICKHOUSE_PASSWORD }
  const room = await openUsageRoom(name, (each) => installOn({ ...inject('stackEnvironment'), ...own }, each))
  const { prefix } = room.installation
  return {
    ...room,
    async giveUsers(users, limits = {}) {
      const list = Object.entries(users).map(([user, tenant]) => ({
        name: user,
        tenant,
        passwordSha256: createHash('sha256').update(user).digest('hex'),
      }))
      const read = readFinanceUsers(JSON.stringify({ users: list, limits }))
      await writeUsers(clickhouseUsersFolder(dir), prefix, read)
      await stack.stop()
      stack = await start(ports)
    },
    async ask(user, sql) {
      const response = await fetch(CLICKHOUSE_URL, {
        method: 'POST',
        headers: {
          'x-clickhouse-user': userName(prefix, user),
          'x-clickhouse-key': user,
          'x-clickhouse-format': 'JSONEachRow',
        },
        body: sql,
      })
      const text = await response.text()
      const lines = response.ok ? text.split('\n').filter((line) => line !== '') : []
      return { ok: response.ok, text, rows: lines.map((line) => JSON.parse(line)) }
    },
    async close() {
      await room.close()
      await stack.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
