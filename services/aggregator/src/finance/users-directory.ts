import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FinanceUsers } from './users-file.ts'
import { usersFileName, usersXml } from './users-xml.ts'

/** What ClickHouse has been given last, for a person to look at. */
export type WrittenUser = { name: string; tenant: string }

/** Puts the users into ClickHouse's folder users.d, in the place of those written before; resolves with the file's path. */
export async function writeUsers(directory: string, prefix: string, users: FinanceUsers): Promise<string> {
  const file = join(directory, usersFileName(prefix))
  await mkdir(directory, { recursive: true })
  // ClickHouse may read at any moment; it takes no notice of another ending.
  const draft = `${file}.draft`
  await writeFile(draft, usersXml(prefix, users), { mode: 0o640 })
  await rename(draft, file)
  return file
}

export async function readUsers(directory: string, prefix: string): Promise<WrittenUser[]> {
  const text = await readFile(join(directory, usersFileName(prefix)), 'utf8').catch(() => '')
  const users = text.matchAll(/<(\w+) replace="replace">\s*<password_sha256_hex>.*?<filter>(.*?)<\/filter>/gs)
  return [...users].map(([, name = '', filter = '']) => ({
    name,
    tenant: /'(.*)'/.exec(filter)?.[1] ?? 'all tenants',
  }))
}
