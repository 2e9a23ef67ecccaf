export type BatchGate = {
  /** Runs the work of a batch of so many rows when there is room for it, in the order of asking. */
  run<T>(rows: number, work: () => Promise<T>): Promise<T>
}

/** Bounds the rows that are in memory at a time: small batches go all at once, large ones one after the other. */
export function createBatchGate(mostRows: number): BatchGate {
  const waiting: { rows: number; enter(): void }[] = []
  let inside = 0

  function admit(): void {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      // A batch larger than all the room goes alone.
      if (inside > 0 && inside + next.rows > mostRows) return
      waiting.shift()
      inside += next.rows
      next.enter()
    }
  }

  return {
    async run(rows, work) {
      await new Promise<void>((enter) => {
        waiting.push({ rows, enter })
        admit()
      })
      try {
        return await work()
      } finally {
        inside -= rows
        admit()
      }
    },
  }
}
