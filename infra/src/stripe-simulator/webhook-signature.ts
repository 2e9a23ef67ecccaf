import { createHmac } from 'node:crypto'

/**
 * The header Stripe-Signature: HMAC-SHA256 over the seconds, a dot and the raw body, in hex
 * (https://docs.stripe.com/webhooks#verify-manually).
 */
export function signatureHeader(body: string, secret: string, seconds: number): string {
  const signature = createHmac('sha256', secret).update(`${seconds}.${body}`, 'utf8').digest('hex')
  return `t=${seconds},v1=${signature}`
}
