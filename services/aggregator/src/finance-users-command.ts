import { readFile } from 'node:fs/promises'
import { readConfigOrExit } from '@tidemark/infra/process/config.ts'
import { asFailure, Failure } from '@tidemark/infra/process/failure.ts'
import { clickhouseUsersFolder, defaultStackFolder } from '@tidemark/infra/stack/places.ts'
import { configSchema } from './config.ts'
import { readUsers, writeUsers } from './finance/users-directory.ts'
import { readFinanceUsers } from './finance/users-file.ts'
import { usersXml } from './finance/users-xml.ts'

const usage = `Users of the finance views, see docs/finance.md:
  apply <users.json>   writes them where ClickHouse reads its users; who is not in the file is removed
  show <users.json>    prints what apply would write
  list                 the users that were written last`

const config = readConfigOrExit(configSchema, process.env)
const prefix = config.TIDEMARK_PREFIX
const directory =
  config.AGGREGATOR_FINANCE_USERS_DIRECTORY || clickhouseUsersFolder(defaultStackFolder(process.env))

async function read(path: string) {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Failure(`${path} cannot be read: ${asFailure(cause).message}`, {
      code: 'usage',
      retryable: false,
      cause,
    })
  })
  return readFinanceUsers(text)
}

async function apply(path: string): Promise<void> {
  const users = await read(path)
  const file = await writeUsers(directory, prefix, users)
  console.log(`${users.users.length} users are written to ${file}.`)
  console.log(
    'A ClickHouse server takes them over by itself within seconds. The local stack’s reads its users when it',
  )
  console.log('starts: npm run stack:down, then npm run stack:up.')
}

async function list(): Promise<void> {
  const users = await readUsers(directory, prefix)
  if (users.length === 0) console.log(`No users have been written to ${directory}.`)
  else console.table(users)
}

async function main([command, path, ...more]: string[]): Promise<void> {
  if (command === 'list' && path === undefined) return list()
  if (path !== undefined && more.length === 0) {
    if (command === 'apply') return apply(path)
    if (command === 'show') return console.log(usersXml(prefix, await read(path)))
  }
  throw new Failure(usage, { code: 'usage', retryable: false })
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(asFailure(error).message)
  process.exitCode = 1
})
