/** A string that is known to be what its name says. */
export type Branded<Name extends string> = string & { readonly __brand: Name }

export type TenantId = Branded<'TenantId'>

/** Only characters that a Kafka topic's name allows, since a tenant's inbound topic is named after it. */
export const tenantIdPattern = '^[a-z0-9][a-z0-9_-]{0,62}$'
const tenantId = new RegExp(tenantIdPattern)

export const isTenantId = (text: string): text is TenantId => tenantId.test(text)

/** Keys that people choose: meters, plans, prices, dimensions. */
export const keyPattern = '^[a-z][a-z0-9_-]{0,62}$'
/** The pattern in words. */
export const keyText = '1 to 63 characters of a-z, 0-9, "-" and "_", the first a letter'
