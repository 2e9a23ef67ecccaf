import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { stripeSimulatorProgram } from './places.ts'
import type { Server, StackSettings } from './server.ts'

export function stripeServer(settings: StackSettings): Server {
  const folder = join(settings.folder, 'stripe')
  return {
    name: 'stripe',
    stopSignal: 'SIGTERM',
    async prepare() {
      await mkdir(folder, { recursive: true })
    },
    async program() {
      return {
        command: process.execPath,
        args: [stripeSimulatorProgram],
        env: {
          STRIPE_SIMULATOR_PORT: String(settings.ports.stripe),
          STRIPE_SIMULATOR_DATA_DIR: folder,
          STRIPE_SIMULATOR_WEBHOOK_URL: settings.stripeWebhookUrls.join(','),
          STRIPE_SIMULATOR_WEBHOOK_SECRET: settings.credentials.stripeWebhookSecret,
        },
      }
    },
    probe: () => probeStripe(`http://127.0.0.1:${settings.ports.stripe}`),
  }
}

export async function probeStripe(url: string): Promise<void> {
  const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2000) })
  if (!answer.ok) throw new Error(`GET ${url}/health answered ${answer.status}`)
}
