import { benchEvent, cloudEventText, serialText } from './bench-event.ts'

export type LoadBody = {
  readonly bytes: Buffer
  /** Gives its events the ids from `first` on. */
  number(first: number): void
  headers(key: string): Record<string, string>
}

/** A request's body made once; only the numbers in its ids are written anew, in place. */
export function createBody({ run, eventsPerRequest }: { run: string; eventsPerRequest: number }): LoadBody {
  const isSingle = eventsPerRequest === 1
  const events = Array.from({ length: eventsPerRequest }, (_, at) => cloudEventText(benchEvent(run, at)))
  const bytes = Buffer.from(isSingle ? (events[0] ?? '') : `[${events.join(',')}]`)
  const places: number[] = []
  const mark = `"id":"${run}-`
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) places.push(at + mark.length)
  return {
    bytes,
    number(first) {
      for (const [at, place] of places.entries()) bytes.write(serialText(first + at), place, 'latin1')
    },
    headers: (key) => ({
      authorization: `Bearer ${key}`,
      'content-type': isSingle ? 'application/cloudevents+json' : 'application/cloudevents-batch+json',
    }),
  }
}
