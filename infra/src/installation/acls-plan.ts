import type { Acl, FoundAcl } from '../kafka/acls.ts'

export type AclPlan = {
  readonly missing: readonly Acl[]
  /** What these principals may do beyond what they need, denials included. */
  readonly surplus: readonly FoundAcl[]
}

/** What has to change so that exactly the wanted ACLs are there. */
export function planAcls(wanted: readonly Acl[], found: readonly FoundAcl[]): AclPlan {
  const wantedTexts = new Set(wanted.map(aclText))
  const foundTexts = new Set(found.flatMap(({ known }) => (known === undefined ? [] : [aclText(known)])))
  return {
    missing: wanted.filter((acl) => !foundTexts.has(aclText(acl))),
    surplus: found.filter(({ known }) => known === undefined || !wantedTexts.has(aclText(known))),
  }
}

/** For a person, and equal for equal rights. */
export const aclText = ({ principal, operation, resource, name, prefixed }: Acl): string =>
  `${principal}: ${operation} on ${resource} ${name}${prefixed ? '*' : ''}`

/** As Kafka's own tool takes it, for clusters whose ACLs others apply. */
export function aclCommand({ principal, operation, resource, name, prefixed }: Acl): string {
  const pattern = prefixed ? ' --resource-pattern-type prefixed' : ''
  return `--add --allow-principal '${principal}' --operation ${operation} --${resource} '${name}'${pattern}`
}
