import { createKafka } from '../kafka/client.ts'
import { kafkaAccess } from '../kafka/security.ts'
import { readConfigOrExit } from '../process/config.ts'
import { asFailure } from '../process/failure.ts'
import { createLog } from '../process/log.ts'
import { aclsSchema, carryOutAcls } from './acls.ts'
import { aclsUsage, readAclsOrder } from './acls-order.ts'

const config = readConfigOrExit(aclsSchema, process.env)
const log = createLog({ service: 'acls', level: 'warn', pretty: true })
const kafka = createKafka({ ...kafkaAccess(config), clientId: 'tidemark-acls', log })

try {
  process.exitCode = await carryOutAcls(readAclsOrder(process.argv.slice(2)), {
    kafka,
    prefix: config.TIDEMARK_PREFIX,
    usageLog: config.USAGE_LOG,
    principals: config.TIDEMARK_KAFKA_PRINCIPALS,
    print: (line) => console.log(line),
  })
} catch (error) {
  const { code, message } = asFailure(error)
  console.error(code === 'usage' ? `${message}\n\n${aclsUsage}` : message)
  process.exitCode = 1
} finally {
  await kafka.disconnect()
}
