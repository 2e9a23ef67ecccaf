import kafkajs from 'kafkajs'
import type { KafkaClient } from './client.ts'

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs

/** Kafka's own names. Read, Write, Delete and Alter imply Describe. */
export type AclOperation = 'Read' | 'Write' | 'Create' | 'Describe' | 'DescribeConfigs'
export type AclResource = 'topic' | 'group'

/** One right of one principal, from any host. */
export type Acl = {
  readonly principal: string
  readonly resource: AclResource
  readonly name: string
  /** Holds for every resource whose name begins like this. */
  readonly prefixed: boolean
  readonly operation: AclOperation
}

/** An ACL as the cluster has it, which may be none of ours: `known` is set where it is an Acl in our words. */
export type FoundAcl = { readonly text: string; readonly known: Acl | undefined; remove(): Promise<void> }

const operations = {
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
  Create: AclOperationTypes.CREATE,
  Describe: AclOperationTypes.DESCRIBE,
  DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
}
const operationNames: readonly AclOperation[] = ['Read', 'Write', 'Create', 'Describe', 'DescribeConfigs']
const resourceTypes = { topic: AclResourceTypes.TOPIC, group: AclResourceTypes.GROUP }
const resourceNames: readonly AclResource[] = ['topic', 'group']
const anyHost = '*'

const entryOf = (acl: Acl) => ({
  resourceType: resourceTypes[acl.resource],
  resourceName: acl.name,
  resourcePatternType: acl.prefixed ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
  principal: acl.principal,
  host: anyHost,
  operation: operations[acl.operation],
  permissionType: AclPermissionTypes.ALLOW,
})

type Entry = ReturnType<typeof entryOf>

/** All ACLs that name the principal, whatever they are about. Needs Describe on the cluster. */
export async function describeAcls(kafka: KafkaClient, principal: string): Promise<FoundAcl[]> {
  const { resources } = await kafka.withAdmin(`reading the ACLs of ${principal}`, (admin) =>
    admin.describeAcls({
      principal,
      resourceType: AclResourceTypes.ANY,
      resourcePatternType: ResourcePatternTypes.ANY,
      operation: AclOperationTypes.ANY,
      permissionType: AclPermissionTypes.ANY,
    }),
  )
  return resources.flatMap(({ acls, ...resource }) =>
    acls.map((acl) => {
      const entry = { ...resource, ...acl }
      return { text: describeEntry(entry), known: knownAcl(entry), remove: () => removeAcl(kafka, entry) }
    }),
  )
}

/** Those that exist already are left as they are. Needs Alter on the cluster. */
export async function createAcls(kafka: KafkaClient, acls: readonly Acl[]): Promise<void> {
  if (acls.length === 0) return
  await kafka.withAdmin('granting ACLs', (admin) => admin.createAcls({ acl: acls.map(entryOf) }))
}

async function removeAcl(kafka: KafkaClient, entry: Entry): Promise<void> {
  await kafka.withAdmin('removing an ACL', (admin) => admin.deleteAcls({ filters: [entry] }))
}

function knownAcl(entry: Entry): Acl | undefined {
  const { principal, resourceName: name, resourceType } = entry
  const operation = operationNames.find((each) => operations[each] === entry.operation)
  const resource = resourceNames.find((each) => resourceTypes[each] === resourceType)
  const isAllowed = entry.host === anyHost && entry.permissionType === AclPermissionTypes.ALLOW
  if (!isAllowed || operation === undefined || resource === undefined) return undefined
  const prefixed = entry.resourcePatternType === ResourcePatternTypes.PREFIXED
  return { principal, resource, name, prefixed, operation }
}

const nameOf = (names: object, value: number): string =>
  Object.entries(names).find(([, each]) => each === value)?.[0] ?? String(value)

const describeEntry = (entry: Entry): string =>
  `${entry.principal}: ${nameOf(AclPermissionTypes, entry.permissionType)} ${nameOf(AclOperationTypes, entry.operation)} on ` +
  `${nameOf(AclResourceTypes, entry.resourceType)} ${entry.resourceName} ` +
  `(${nameOf(ResourcePatternTypes, entry.resourcePatternType)}) from ${entry.host}`
