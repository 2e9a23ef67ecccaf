import { Type } from 'typebox'
import { type Acl, createAcls, describeAcls } from '../kafka/acls.ts'
import type { KafkaClient } from '../kafka/client.ts'
import { kafkaSettings, prefixSettings, usageLogSettings } from '../process/settings.ts'
import type { AclsOrder } from './acls-order.ts'
import { aclCommand, aclText, planAcls } from './acls-plan.ts'
import { aclsOf, principalOf, productGrants, rolesOf } from './kafka-acls.ts'

export const aclSettings = {
  TIDEMARK_KAFKA_PRINCIPALS: Type.String({
    default: 'User:{prefix}tidemark-{role}',
    pattern: '^[A-Za-z]+:.*\\{role\\}.*$',
    examples: ['User:tidemark-{role}', 'User:CN={role},OU=tidemark,O=Acme'],
    description:
      'Which principal each role connects as, for the ACLs: the user’s name with SASL, the certificate’s subject with mutual TLS.',
  }),
}

export const aclsSchema = Type.Object({
  ...prefixSettings,
  ...kafkaSettings,
  ...usageLogSettings,
  ...aclSettings,
})

export type AclsOptions = {
  kafka: KafkaClient
  prefix: string
  /** The log in use; after a cut-over the list is another one. */
  usageLog: number
  /** With {role}, and {prefix} where installations share a cluster. */
  principals: string
  print(line: string): void
}

const differsCode = 2

/** Carries out `npm run acls`. @returns the exit code */
export async function carryOutAcls(order: AclsOrder, options: AclsOptions): Promise<number> {
  const { kafka, print } = options
  const wanted = wantedAcls(order, options)
  if (order.command === 'show') {
    for (const acl of wanted) print(aclCommand(acl))
    return 0
  }
  const principals = [...new Set(wanted.map(({ principal }) => principal))]
  const found = (await Promise.all(principals.map((each) => describeAcls(kafka, each)))).flat()
  const { missing, surplus } = planAcls(wanted, found)
  const beyond = order.product === undefined ? surplus : []
  if (order.command === 'check') {
    for (const acl of missing) print(`missing: ${aclText(acl)}`)
    for (const { text } of beyond) print(`too much: ${text}`)
    if (missing.length + beyond.length > 0) return differsCode
    print(`The cluster has exactly these ${wanted.length} ACLs.`)
    return 0
  }
  await createAcls(kafka, missing)
  for (const acl of missing) print(`granted: ${aclText(acl)}`)
  for (const acl of beyond) {
    if (order.remove) await acl.remove()
    print(`${order.remove ? 'removed' : 'too much (--remove takes it away)'}: ${acl.text}`)
  }
  print(`${missing.length} of ${wanted.length} granted, the others were there.`)
  return 0
}

function wantedAcls({ product }: AclsOrder, { prefix, usageLog, principals }: AclsOptions): Acl[] {
  if (product !== undefined) return aclsOf(prefix, product.principal, productGrants(product.tenant))
  return rolesOf(usageLog).flatMap(({ name, grants }) =>
    aclsOf(prefix, principalOf(principals, prefix, name), grants),
  )
}
