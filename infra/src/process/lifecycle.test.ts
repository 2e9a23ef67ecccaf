import { expect, test } from 'vitest'
import { Failure } from './failure.ts'
import { type Component, startComponents } from './lifecycle.ts'

function createRecorder() {
  const events: string[] = []
  const component = (name: string, faults: { start?: Error; stop?: Error } = {}): Component => ({
    name,
    start: async () => {
      events.push(`start ${name}`)
      if (faults.start) throw faults.start
    },
    stop: () => {
      events.push(`stop ${name}`)
      if (faults.stop) throw faults.stop
    },
  })
  return { events, component }
}

test('components start in order and stop in reverse, once', async () => {
  const { events, component } = createRecorder()
  const running = await startComponents([component('pool'), component('server')])
  await Promise.all([running.stop(), running.stop()])
  expect(events).toEqual(['start pool', 'start server', 'stop server', 'stop pool'])
})

test('a failing start stops what has started and names the component and the cause', async () => {
  const { events, component } = createRecorder()
  const cause = new Failure('connection refused', { code: 'unreachable', retryable: true })
  const starting = startComponents([
    component('pool'),
    component('consumer', { start: cause }),
    component('server'),
  ])
  await expect(starting).rejects.toMatchObject({
    message: 'consumer did not start: connection refused',
    code: 'start_failed',
    cause,
  })
  expect(events).toEqual(['start pool', 'start consumer', 'stop pool'])
})

test('a failing stop does not keep the others from stopping', async () => {
  const { events, component } = createRecorder()
  const running = await startComponents([
    component('pool'),
    component('server', { stop: new Error('stuck') }),
  ])
  await expect(running.stop()).rejects.toMatchObject({
    code: 'stop_failed',
    message: 'server did not stop: stuck',
  })
  expect(events.slice(-2)).toEqual(['stop server', 'stop pool'])
})

test('a stop asked for during the start keeps later components from starting', async () => {
  const { events, component } = createRecorder()
  const controller = new AbortController()
  const aborting = { ...component('pool'), start: () => controller.abort(new Error('a stop was asked for')) }
  await expect(startComponents([aborting, component('server')], controller.signal)).rejects.toThrow(
    'a stop was asked for',
  )
  expect(events).toEqual(['stop pool'])
})
