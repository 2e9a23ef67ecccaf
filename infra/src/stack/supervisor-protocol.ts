import type { ServerName, StackSettings } from './server.ts'

/** What the starting process tells the supervisor. */
export type SupervisorOrder =
  | { kind: 'start'; settings: StackSettings }
  /** The stack outlives the process that started it. */
  | { kind: 'release' }
  | { kind: 'stop' }

/** What the supervisor tells the process that started it. */
export type SupervisorReport =
  | { kind: 'server-ready'; server: ServerName }
  | { kind: 'server-failed'; server: ServerName; message: string }
  | { kind: 'ready' }
  | { kind: 'failed'; message: string; code: string }
