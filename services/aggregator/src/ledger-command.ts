import { readConfigOrExit } from '@tidemark/infra/process/config.ts'
import { asFailure } from '@tidemark/infra/process/failure.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { createClients } from './clients.ts'
import { configSchema } from './config.ts'
import { carryOut } from './ledger/carry-out.ts'
import { ledgerUsage, readLedgerOrder } from './ledger/ledger-order.ts'

const config = readConfigOrExit(configSchema, process.env)
const log = createLog({ service: 'ledger', level: 'warn', pretty: true })
const clients = createClients(config, log)
try {
  const order = readLedgerOrder(process.argv.slice(2))
  process.exitCode = await carryOut(order, {
    ...clients,
    log,
    config,
    print: (line) => console.log(line),
    tell: (line) => console.error(line),
  })
} catch (error) {
  const { code, message } = asFailure(error)
  console.error(code === 'usage' ? `${message}\n\n${ledgerUsage}` : message)
  process.exitCode = 1
} finally {
  await clients.close()
}
