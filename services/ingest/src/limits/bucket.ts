/** What one lease gave: the count of the window after it, and how long that window still lasts. */
export type Lease = { used: number; windowMs: number }

/** Adds to what is used of the current window, which all processes share, and says where that leaves it. */
export type TakeLease = (amount: number) => Promise<Lease>

export type Bucket = {
  readonly rate: number
  /** True when `amount` is granted; a promise only when it must be asked for first. */
  take(amount: number): boolean | Promise<boolean>
  /** For a request that another bucket refuses. */
  giveBack(amount: number): void
  isExhausted(): boolean
  /** Of the window, as far as this process knows. */
  remaining(): number
  msUntilNext(): number
}

/** Part of a second's rate that is taken at a time: at most so many questions a second, however many requests come. */
const leasesPerWindow = 20

/**
 * Hands out `rate` per second in this process from leases on a window that all processes share, so that most requests
 * are decided without a question. A request is granted as long as anything of the window is left, and what it takes
 * beyond makes the window longer in proportion: the rate holds whatever the size of the requests, and one that is
 * larger than the rate is not refused for ever. After a refusal all is refused until the window ends, without
 * questions: the wait that the first one was told is true, and small requests do not starve large ones.
 */
export function createBucket(rate: number, takeLease: TakeLease, now: () => number): Bucket {
  const chunk = Math.ceil(rate / leasesPerWindow)
  let leased = 0
  let left = rate
  let until = 0
  let exhausted = false
  let leasing: Promise<boolean> | undefined

  function renew(): void {
    if (now() < until) return
    leased = 0
    left = rate
    exhausted = false
  }

  async function lease(amount: number): Promise<boolean> {
    const asked = Math.max(amount - leased, chunk)
    const { used, windowMs } = await takeLease(asked)
    const isGranted = used - asked < rate
    // What is owed is part of the window in Redis; the fallback in memory does not know of it.
    const owedMs = isGranted ? (Math.max(0, used - rate) / rate) * 1_000 : 0
    until = now() + Math.max(windowMs, owedMs)
    left = Math.max(0, rate - used)
    exhausted = !isGranted
    leased = isGranted ? leased + asked - amount : 0
    return isGranted
  }

  async function takeAfter(under: Promise<boolean>, amount: number): Promise<boolean> {
    await under
    return take(amount)
  }

  function take(amount: number): boolean | Promise<boolean> {
    renew()
    if (exhausted) return false
    if (leasing) return takeAfter(leasing, amount)
    if (leased >= amount) {
      leased -= amount
      return true
    }
    leasing = lease(amount).finally(() => {
      leasing = undefined
    })
    return leasing
  }

  return {
    rate,
    take,
    giveBack(amount) {
      if (now() < until) leased += amount
    },
    isExhausted() {
      renew()
      return exhausted
    },
    remaining() {
      renew()
      return exhausted ? 0 : left + leased
    },
    msUntilNext: () => Math.max(0, until - now()),
  }
}
