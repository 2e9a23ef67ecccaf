import {
  billingEventsTopic,
  currentLog,
  findingsTopic,
  inboundTopic,
  legacyTopic,
  topics,
  usageEventsTopicOf,
  usageRejectedTopic,
} from '@tidemark/schemas/topics.ts'
import type { Acl, AclOperation, AclResource } from '../kafka/acls.ts'
import { aggregatorGroup } from './usage-log.ts'

/** A right without who has it: names as in the table of topics, without the installation's prefix. */
export type Grant = {
  readonly resource: AclResource
  readonly name: string
  readonly prefixed?: true
  readonly operations: readonly AclOperation[]
}

export type Role = { readonly name: string; readonly does: string; readonly grants: readonly Grant[] }

const topic = (name: string, ...operations: AclOperation[]): Grant => ({
  resource: 'topic',
  name,
  operations,
})
const group = (name: string): Grant => ({ resource: 'group', name, operations: ['Read'] })
const topicsLike = (name: string, ...operations: AclOperation[]): Grant => ({
  ...topic(name, ...operations),
  prefixed: true,
})
/** Of all tenants, those to come included. */
const inboundTopics = (...operations: AclOperation[]): Grant => topicsLike(inboundTopic(''), ...operations)
/** The log in use and those before it. */
const everyUsageLog = (...operations: AclOperation[]): Grant => topicsLike('usage.events.', ...operations)
/** What making a topic, and holding an existing one against what is wanted, asks of the brokers. */
const provisioning: readonly AclOperation[] = ['Create', 'Describe', 'DescribeConfigs']

/**
 * Everything that each of Tidemark's programs asks of Kafka, and nothing else: this list is applied by
 * `npm run acls -- apply` and held against a broker with an authorizer by a test. Read and Write imply Describe. No
 * program is idempotent or transactional towards Kafka, so none needs rights on transactional ids or the cluster.
 */
export const rolesOf = (usageLog: number): readonly Role[] => [
  {
    name: 'ingest',
    does: 'publishes usage from HTTP, and relays the inbound topics of the tenants',
    grants: [
      topic(usageEventsTopicOf(usageLog), 'Write'),
      topic(usageRejectedTopic, 'Write'),
      inboundTopics('Read'),
      group('ingest-relay'),
    ],
  },
  {
    name: 'aggregator',
    does: 'moves usage into ClickHouse, and publishes what it cannot read',
    grants: [
      topic(usageEventsTopicOf(usageLog), 'Read'),
      topic(usageRejectedTopic, 'Write'),
      group(aggregatorGroup(usageLog)),
    ],
  },
  {
    name: 'invoicer',
    does: 'publishes what changed in billing',
    grants: [topic(billingEventsTopic, 'Write')],
  },
  {
    name: 'reconciler',
    does: 'compares the old system with the new one, and publishes what differs',
    grants: [
      topic(legacyTopic, 'Read'),
      topic(billingEventsTopic, 'Read'),
      topic(findingsTopic, 'Write'),
      group('reconciler'),
    ],
  },
  {
    name: 'operator',
    does: 'npm run rejected, ledger (both read without a group) and keys (makes the inbound topics of tenants)',
    grants: [
      topic(usageRejectedTopic, 'Read'),
      topic(usageEventsTopicOf(usageLog), 'Write'),
      everyUsageLog('Read'),
      inboundTopics(...provisioning),
    ],
  },
  {
    name: 'provisioner',
    does: 'makes the topics of an installation',
    grants: topics.map(({ name }) => topic(name, ...provisioning)),
  },
  {
    name: 'bridge',
    does: 'tells what the old billing system computed',
    grants: [topic(legacyTopic, 'Write')],
  },
]

/** Of an installation that never cut over to another log. */
export const roles = rolesOf(currentLog)

/** What a tenant's products need to send usage by Kafka; their principals are not Tidemark's to name. */
export const productGrants = (tenant: string): readonly Grant[] => [topic(inboundTopic(tenant), 'Write')]

/** The grants to one principal in one installation, an Acl for each operation. */
export const aclsOf = (prefix: string, principal: string, grants: readonly Grant[]): Acl[] =>
  grants.flatMap(({ resource, name, prefixed, operations }) =>
    operations.map((operation) => ({
      principal,
      resource,
      name: prefix + name,
      prefixed: prefixed ?? false,
      operation,
    })),
  )

/** `User:CN={role},O=Acme` and a role to the principal that its connections have; {prefix} is the installation's. */
export const principalOf = (template: string, prefix: string, role: string): string =>
  template.replaceAll('{prefix}', prefix).replaceAll('{role}', role)
