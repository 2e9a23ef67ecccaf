import { isTenantId } from '@tidemark/schemas/identifiers.ts'
import { readCommandLine, usageFailure } from '../process/command-line.ts'

export type AclsOrder = {
  readonly command: 'show' | 'check' | 'apply'
  /** Only what the products of this tenant need, as this principal; else what Tidemark's own programs need. */
  readonly product?: { readonly tenant: string; readonly principal: string }
  readonly remove: boolean
}

export const aclsUsage = `What each program may do in Kafka, by the principal it connects as:
  show    the ACLs, as arguments of kafka-acls.sh; Kafka is not asked
  check   holds them against the cluster; exit code 2 where it differs
  apply   grants what is missing; with --remove also takes away what these principals have beyond it
  --tenant <id> --principal <User:name>   only what products of this tenant need to write to its inbound topic
The connection must be an administrator's: check asks for Describe on the cluster, apply for Alter.
TIDEMARK_KAFKA_PRINCIPALS says how principals are called.`

const commands: readonly AclsOrder['command'][] = ['show', 'check', 'apply']

/** What a command line asks for. @throws Failure `usage` that says what is wrong with it */
export function readAclsOrder(args: readonly string[]): AclsOrder {
  const { values, positionals } = readCommandLine(args, options)
  const { tenant, principal, remove } = values
  const command = commands.find((each) => each === positionals[0])
  if (command === undefined) throw usageFailure(`Give one of ${commands.join(', ')}`)
  if (positionals.length > 1) throw usageFailure(`"${positionals[1]}" is one word too many`)
  if (remove && command !== 'apply') throw usageFailure('--remove belongs to apply')
  if ((tenant === undefined) !== (principal === undefined))
    throw usageFailure('--tenant and --principal belong together')
  if (tenant === undefined || principal === undefined) return { command, remove }
  if (!isTenantId(tenant)) throw usageFailure(`"${tenant}" cannot be a tenant's id`)
  if (!/^[A-Za-z]+:./.test(principal))
    throw usageFailure(`--principal is a type and a name, like User:acme-products, not "${principal}"`)
  // A product's principal may have rights elsewhere that Tidemark knows nothing of.
  if (remove) throw usageFailure('--remove takes nothing away from the principals of products')
  return { command, remove, product: { tenant, principal } }
}

const options = {
  tenant: { type: 'string' },
  principal: { type: 'string' },
  remove: { type: 'boolean', default: false },
} as const
