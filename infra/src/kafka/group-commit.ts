import { Failure } from '../process/failure.ts'
import { messageBytes, type OutboundMessage } from './record.ts'

export type BatcherOptions = {
  /** Usually `(messages) => producer.send(topic, messages)`. */
  send(messages: readonly OutboundMessage[]): Promise<void>
  /** Sends under way at a time; while they are, the next one collects. Default 4. */
  maxInFlight?: number
  /**
   * While fewer messages wait, a send starts only when none is under way. Default 200: a send of a few records costs
   * client and broker about as much as one of a hundred, so that many clients with an event each are served fastest by
   * large sends one after the other.
   */
  fullSendMessages?: number
  /** Default 1,000: kafkajs groups messages by partition in quadratic time, and beyond this it gets slower. */
  maxMessagesPerSend?: number
  /** Default 900,000: a broker refuses a batch beyond message.max.bytes (1 MiB), and kafkajs never splits one. */
  maxBytesPerPartition?: number
  /** What may wait and be under way in all; beyond it `publish` refuses. Default 64 MiB. */
  maxQueuedBytes?: number
}

export type Batcher = {
  /**
   * Resolves when the broker has acknowledged every one of the messages. Rejects with `overloaded` (retryable, nothing
   * was sent), `record_too_large`, `closed`, or what `send` failed with; then some of them may be in the log.
   */
  publish(messages: readonly OutboundMessage[]): Promise<void>
  /** Resolves when all that was published before has been settled, either way. */
  flush(): Promise<void>
  /** Refuses what comes next and flushes. */
  close(): Promise<void>
  /** For gauges. */
  queuedBytes(): number
}

type Request = {
  messages: readonly OutboundMessage[]
  sizes: readonly number[]
  /** Index of the first message not yet handed to a send. */
  next: number
  /** Messages not yet acknowledged. */
  open: number
  settled: boolean
  resolve(): void
  reject(error: unknown): void
}

type Part = { request: Request; count: number }
type Cut = { messages: OutboundMessage[]; parts: Part[]; bytes: number }
type CutLimits = { maxMessages: number; maxBytesPerPartition: number }

/** Takes from the head of the queue, in order, what fits into one send; the first message that does not fit ends it. */
export function cutSend(queue: Request[], limits: CutLimits): Cut {
  const cut: Cut = { messages: [], parts: [], bytes: 0 }
  const partitionBytes = new Map<number, number>()
  for (let request = queue[0]; request !== undefined; request = queue[0]) {
    const from = request.next
    let full = false
    while (request.next < request.messages.length && !request.settled) {
      const message = request.messages[request.next]
      const size = request.sizes[request.next] ?? 0
      if (message === undefined) break
      const filled = (partitionBytes.get(message.partition) ?? 0) + size
      full = cut.messages.length >= limits.maxMessages
      full ||= filled > limits.maxBytesPerPartition && filled > size
      if (full) break
      partitionBytes.set(message.partition, filled)
      cut.messages.push(message)
      cut.bytes += size
      request.next += 1
    }
    if (request.next > from) cut.parts.push({ request, count: request.next - from })
    if (full) break
    queue.shift()
  }
  return cut
}

/**
 * Group commit: no timer and no linger. A send starts as soon as none is under way, or, once a full one waits, as soon as
 * one of the `maxInFlight` places is free; it takes all that has come in meanwhile, so batches grow with the load by
 * themselves. When Kafka does not answer, everything that waits is refused together with the send: behind a dead broker
 * it would only wait out one deadline after the other.
 */
export function createBatcher(options: BatcherOptions): Batcher {
  const maxInFlight = options.maxInFlight ?? 4
  const fullSendMessages = options.fullSendMessages ?? 200
  const maxQueuedBytes = options.maxQueuedBytes ?? 64 * 1_048_576
  const maxBytesPerPartition = options.maxBytesPerPartition ?? 900_000
  const limits = { maxMessages: options.maxMessagesPerSend ?? 1_000, maxBytesPerPartition }
  const queue: Request[] = []
  const unsettled = new Set<Promise<void>>()
  let heldBytes = 0
  let inFlight = 0
  let scheduled = false
  let closed = false
  /** Messages of the queue that no send has taken yet. */
  let waiting = 0

  const settle = (request: Request, error: unknown): void => {
    if (request.settled) return
    request.settled = true
    // What no send has taken yet is dropped with the request; what is under way gives its bytes back on its own.
    for (let at = request.next; at < request.sizes.length; at += 1) heldBytes -= request.sizes[at] ?? 0
    waiting -= request.sizes.length - request.next
    if (error === undefined) request.resolve()
    else request.reject(error)
  }

  const run = async (cut: Cut): Promise<void> => {
    inFlight += 1
    try {
      await options.send(cut.messages)
      for (const { request, count } of cut.parts) {
        request.open -= count
        if (request.open === 0) settle(request, undefined)
      }
    } catch (error) {
      for (const { request } of cut.parts) settle(request, error)
      if (error instanceof Failure && error.code === 'kafka_unavailable') {
        for (const request of queue.splice(0)) settle(request, error)
      }
    } finally {
      heldBytes -= cut.bytes
      inFlight -= 1
      pump()
    }
  }

  const pump = (): void => {
    while (queue.length > 0 && inFlight < (waiting < fullSendMessages ? 1 : maxInFlight)) {
      const cut = cutSend(queue, limits)
      waiting -= cut.messages.length
      if (cut.messages.length > 0) void run(cut)
    }
  }

  /** After this turn of the event loop has read all sockets: what arrived together is sent together. */
  const schedulePump = (): void => {
    if (scheduled) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      pump()
    })
  }

  const refuse = (code: string, retryable: boolean, message: string): Failure =>
    new Failure(message, { code, retryable })

  const publish = async (messages: readonly OutboundMessage[]): Promise<void> => {
    if (closed)
      throw refuse('closed', true, 'publishing has stopped: the process is going down; send it again')
    if (messages.length === 0) return
    const sizes = messages.map(messageBytes)
    let bytes = 0
    for (const size of sizes) {
      if (size > maxBytesPerPartition) {
        const text = `a record of ${size} bytes exceeds the limit of ${maxBytesPerPartition}; send less data in it`
        throw refuse('record_too_large', false, text)
      }
      bytes += size
    }
    if (heldBytes + bytes > maxQueuedBytes) {
      const text = `${heldBytes} bytes already wait for Kafka, of ${maxQueuedBytes} allowed; send it again later`
      throw refuse('overloaded', true, text)
    }
    heldBytes += bytes
    waiting += messages.length
    const settled = new Promise<void>((resolve, reject) => {
      queue.push({ messages, sizes, next: 0, open: messages.length, settled: false, resolve, reject })
    })
    unsettled.add(settled)
    schedulePump()
    try {
      await settled
    } finally {
      unsettled.delete(settled)
    }
  }

  const flush = async (): Promise<void> => {
    await Promise.allSettled(unsettled)
  }
  return {
    publish,
    flush,
    close: () => {
      closed = true
      return flush()
    },
    queuedBytes: () => heldBytes,
  }
}
