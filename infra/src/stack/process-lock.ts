import { createHash } from 'node:crypto'
import { connect, createServer, type Socket } from 'node:net'

export type ProcessLock = { release(): Promise<void> }

/**
 * Takes a lock among all processes of this machine, or returns nothing when another process has it. The lock is an
 * abstract Unix socket: the kernel frees it however its holder ends, so there is no stale lock file to judge.
 */
export function tryLock(name: string): Promise<ProcessLock | undefined> {
  const waiting = new Set<Socket>()
  const server = createServer((socket) => {
    // Those who wait stay connected until the holder releases or dies; the holder does not live on for them.
    waiting.add(socket.unref())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => waiting.delete(socket))
  })
  const release = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      for (const socket of waiting) socket.destroy()
    })
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    )
    server.listen(socketOf(name), () => {
      server.unref()
      resolve({ release })
    })
  })
}

/** Takes the lock, waiting for as long as another process has it. */
export async function lock(name: string): Promise<ProcessLock> {
  for (;;) {
    const taken = await tryLock(name)
    if (taken !== undefined) return taken
    await holderGone(socketOf(name))
  }
}

function socketOf(name: string): string {
  return `\0tidemark-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`
}

function holderGone(path: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('error', () => resolve())
    socket.once('close', () => resolve())
  })
}
