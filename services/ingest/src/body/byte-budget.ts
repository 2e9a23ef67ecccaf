export type ByteBudgetOptions = {
  /** What all requests may hold together. */
  totalBytes: number
  /** What the requests of one tenant may hold together, so that no tenant takes all of it. */
  tenantBytes: number
}

/** What one request holds of the budget. */
export type Hold = {
  /** False, and nothing taken, where the budget has no room or the hold is released. */
  take(bytes: number): boolean
  /** Gives everything back; may be called again. */
  release(): void
}

export type ByteBudget = {
  open(tenant: string): Hold
  heldBytes(): number
}

/** Bounds the memory of all requests under way, however many there are and whatever they wait for. */
export function createByteBudget({ totalBytes, tenantBytes }: ByteBudgetOptions): ByteBudget {
  const byTenant = new Map<string, number>()
  let held = 0

  function open(tenant: string): Hold {
    let own = 0
    let isReleased = false
    return {
      take(bytes) {
        const ofTenant = byTenant.get(tenant) ?? 0
        if (isReleased || held + bytes > totalBytes || ofTenant + bytes > tenantBytes) return false
        held += bytes
        own += bytes
        byTenant.set(tenant, ofTenant + bytes)
        return true
      },
      release() {
        if (isReleased) return
        isReleased = true
        held -= own
        const left = (byTenant.get(tenant) ?? 0) - own
        // A tenant that sends nothing costs nothing.
        if (left > 0) byTenant.set(tenant, left)
        else byTenant.delete(tenant)
      },
    }
  }
  return { open, heldBytes: () => held }
}
