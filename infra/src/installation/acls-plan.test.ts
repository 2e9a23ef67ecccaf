import { inboundTopic, topics } from '@tidemark/schemas/topics.ts'
import { expect, test } from 'vitest'
import type { Acl, FoundAcl } from '../kafka/acls.ts'
import { readAclsOrder } from './acls-order.ts'
import { aclCommand, aclText, planAcls } from './acls-plan.ts'
import { aclsOf, principalOf, productGrants, roles } from './kafka-acls.ts'

const acl = (fields: Partial<Acl> = {}): Acl => ({
  principal: 'User:a',
  resource: 'topic',
  name: 'usage.events.1',
  prefixed: false,
  operation: 'Read',
  ...fields,
})
const found = (known: Acl | undefined): FoundAcl => ({ text: 'found', known, remove: async () => {} })

test('what is wanted and not there is missing, what is there and not wanted is too much', () => {
  const wanted = [acl(), acl({ operation: 'Write' }), acl({ name: 'usage.inbound.', prefixed: true })]
  const denial = found(undefined)
  const literal = found(acl({ name: 'usage.inbound.' }))
  const plan = planAcls(wanted, [found(acl()), literal, denial])
  expect(plan.missing).toEqual(wanted.slice(1))
  expect(plan.surplus).toEqual([literal, denial])
  expect(planAcls(wanted, wanted.map(found))).toEqual({ missing: [], surplus: [] })
})

test('names carry the prefix, and principals what the template says', () => {
  const acls = aclsOf('t1-', 'User:products', productGrants('acme'))
  expect(acls.map(aclText)).toEqual([`User:products: Write on topic t1-${inboundTopic('acme')}`])
  expect(principalOf('User:{prefix}tidemark-{role}', 't1-', 'ingest')).toBe('User:t1-tidemark-ingest')
  expect(principalOf('User:CN={role},O=Acme', '', 'ingest')).toBe('User:CN=ingest,O=Acme')
})

test('an ACL is shown as Kafka’s own tool takes it', () => {
  expect(aclCommand(acl({ name: 'usage.inbound.', prefixed: true }))).toBe(
    "--add --allow-principal 'User:a' --operation Read --topic 'usage.inbound.' --resource-pattern-type prefixed",
  )
})

test('whoever writes a topic according to the table of topics may, and no other role of Tidemark', () => {
  const writersOf = (name: string) =>
    roles
      .filter(({ grants }) =>
        grants.some((grant) => grant.name === name && grant.operations.includes('Write')),
      )
      // The operator replays what was refused in the name of ingest; the old system's bridges are one role.
      .flatMap(({ name: role }) => (role === 'operator' ? [] : role === 'bridge' ? ['bridges'] : [role]))
  for (const { name, writers } of topics) expect(writersOf(name)).toEqual(writers)
})

test.each([
  [['apply', '--remove'], { command: 'apply', remove: true }],
  [
    ['check', '--tenant', 'acme', '--principal', 'User:p'],
    { product: { tenant: 'acme', principal: 'User:p' } },
  ],
])('%s is understood', (args, order) => {
  expect(readAclsOrder(args)).toMatchObject(order)
})

test.each([
  [[], 'Give one of show, check, apply'],
  [['apply', 'now'], '"now" is one word too many'],
  [['check', '--remove'], '--remove belongs to apply'],
  [['apply', '--tenant', 'acme'], '--tenant and --principal belong together'],
  [['apply', '--tenant', 'A B', '--principal', 'User:p'], '"A B" cannot be a tenant'],
  [['apply', '--tenant', 'acme', '--principal', 'p'], '--principal is a type and a name'],
  [['apply', '--tenant', 'acme', '--principal', 'User:p', '--remove'], '--remove takes nothing away'],
])('%s is refused with what is wrong', (args, reason) => {
  expect(() => readAclsOrder(args)).toThrow(reason)
})
