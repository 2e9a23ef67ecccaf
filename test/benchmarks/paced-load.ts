import { setTimeout as pause } from 'node:timers/promises'
import { type HttpConnection, openConnection } from './http-connection.ts'
import { createBody } from './load-body.ts'
import type { LoadReport } from './load-generator.ts'
import { answerOrder } from './worker.ts'

export type PacedOrder = {
  port: number
  key: string
  /** Requests per second, whatever the answers take. */
  rate: number
  /** Default 1. */
  eventsPerRequest?: number
  connections: number
  warmUpMs: number
  durationMs: number
  run: string
}

/**
 * Requests at a fixed rate: one that finds all connections busy waits, and its wait counts, so that a server that stands
 * still cannot hide it.
 */
async function generatePaced(order: PacedOrder): Promise<LoadReport> {
  const { port, key, rate, run, eventsPerRequest = 1 } = order
  const body = createBody({ run, eventsPerRequest })
  const headers = body.headers(key)
  const open = () => openConnection({ port, path: '/v1/events', headers })
  const free: HttpConnection[] = await Promise.all(Array.from({ length: order.connections }, open))
  const waiting: number[] = []
  const latenciesMicros: number[] = []
  const begunAt = performance.now()
  const startsAt = begunAt + order.warmUpMs
  const endsAt = startsAt + order.durationMs
  let due = 0
  let sent = 0
  let answered = 0

  const send = async (connection: HttpConnection, dueAt: number): Promise<void> => {
    body.number(sent)
    sent += eventsPerRequest
    const { status, body: text } = await connection.post(Buffer.from(body.bytes))
    if (status !== 202) throw new Error(`a request was answered ${status}: ${text.slice(0, 500)}`)
    if (dueAt >= startsAt) latenciesMicros.push(Math.round((performance.now() - dueAt) * 1000))
    answered += eventsPerRequest
    const next = waiting.shift()
    if (next === undefined) free.push(connection)
    else await send(connection, next)
  }

  const sends: Promise<void>[] = []
  while (performance.now() < endsAt) {
    const now = performance.now()
    for (; due < ((now - begunAt) / 1000) * rate; due += 1) {
      const connection = free.pop()
      if (connection === undefined) waiting.push(now)
      else sends.push(send(connection, now))
    }
    await pause(1)
  }
  await Promise.all(sends)
  for (const connection of free) connection.close()
  const { length } = latenciesMicros
  return {
    events: length,
    seconds: order.durationMs / 1000,
    latenciesMicros,
    acknowledged: answered,
    refused: 0,
  }
}

answerOrder(generatePaced)
