import type { UsageMessage } from '../events/usage-record.ts'

/** What the memory says of an event, by the place of its message. */
export type Recollection = 'unknown' | 'same' | 'other'

/** Identities that Kafka has acknowledged, of tenants that want to hear `duplicate` at the door. */
export type Memory = {
  /** Whether the tenant wants it: all others pay nothing. */
  isOn(tenantNumber: number): boolean
  /** In bounded time; all are unknown where it cannot be asked, because not knowing changes no bill. */
  recall(messages: readonly UsageMessage[]): Promise<readonly Recollection[]>
  /** Only ever called with what every in-sync replica has; nobody waits for it. */
  remember(messages: readonly UsageMessage[]): void
}
