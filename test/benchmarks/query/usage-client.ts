export type UsageClient = {
  makeMeter(meter: object): Promise<void>
  /** Milliseconds that the answer took. */
  time(path: string): Promise<number>
  get(path: string): Promise<{ items: Record<string, unknown>[] }>
}

export function createUsageClient(url: string, key: string): UsageClient {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const send = async (path: string, body?: object): Promise<string> => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    const response = await fetch(url + path, { headers, ...init })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${text.slice(0, 500)}`)
    return text
  }
  return {
    async makeMeter(meter) {
      await send('/v1/meters', meter)
    },
    async time(path) {
      const startedAt = performance.now()
      await send(path)
      return performance.now() - startedAt
    },
    get: async (path) => JSON.parse(await send(path)),
  }
}
