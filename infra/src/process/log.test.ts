import { expect, test } from 'vitest'
import { Failure } from './failure.ts'
import { createLog } from './log.ts'

function collect(pretty: boolean) {
  const lines: string[] = []
  const log = createLog({
    service: 'trial',
    level: 'info',
    pretty,
    destination: { write: (line) => void lines.push(line) },
  })
  return { log, lines }
}

test('a line is JSON with the service, the level by name and an ISO time', () => {
  const { log, lines } = collect(false)
  log.info({ batch: 7 }, 'stored')
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'info',
    service: 'trial',
    batch: 7,
    msg: 'stored',
  })
  expect(lines[0]).toMatch(/"time":"\d{4}-\d\d-\d\dT[\d:.]+Z"/)
})

test('authorization headers and secrets are struck out, however deep they usually lie', () => {
  const { log, lines } = collect(false)
  log.info({
    req: { headers: { authorization: 'Bearer hush' } },
    password: 'hush',
    config: { STRIPE_SECRET_KEY: 'hush' },
  })
  expect(lines[0]).not.toContain('hush')
  expect(lines[0]).toContain('[redacted]')
})

test('a Failure keeps its code, whether to retry, and its cause', () => {
  const { log, lines } = collect(false)
  const cause = new Error('connection refused')
  log.warn({
    err: new Failure('ClickHouse does not answer', { code: 'unreachable', retryable: true, cause }),
  })
  expect(JSON.parse(lines[0] ?? '').err).toMatchObject({ code: 'unreachable', retryable: true })
  expect(lines[0]).toContain('connection refused')
})

test('pretty lines are for a person', () => {
  const { log, lines } = collect(true)
  log.info({ batch: 7 }, 'stored')
  expect(lines[0]).toMatch(/^[\d:.]{12} INFO {2}\[trial\] stored batch=7\n$/)
})
