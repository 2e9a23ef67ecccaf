import { createClients } from '@tidemark/aggregator/clients.ts'
import { configSchema } from '@tidemark/aggregator/config.ts'
import { carryOut } from '@tidemark/aggregator/ledger/carry-out.ts'
import { readLedgerOrder } from '@tidemark/aggregator/ledger/ledger-order.ts'
import { readConfigOrExit } from '@tidemark/infra/process/config.ts'
import { createLog } from '@tidemark/infra/process/log.ts'

// `npm run ledger -- …`, but the process kills itself with SIGKILL when it says the text of TIDEMARK_FAULT_AT.
const config = readConfigOrExit(configSchema, process.env)
const log = createLog({ service: 'ledger', level: 'warn', pretty: false })
const say = (line: string): void => {
  if (line.includes(process.env.TIDEMARK_FAULT_AT ?? '\n')) process.kill(process.pid, 'SIGKILL')
}
const clients = createClients(config, log)
await carryOut(readLedgerOrder(process.argv.slice(2)), { ...clients, log, config, print: say, tell: say })
