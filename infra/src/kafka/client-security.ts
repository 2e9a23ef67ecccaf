import { isIP } from 'node:net'
import type { KafkaSecurity } from './security.ts'

/** As kafkajs takes it. A copy for each client: kafkajs writes what it made of a password into the object. */
export const kafkajsSecurity = ({ tls, sasl }: KafkaSecurity) => ({
  ...(tls && { ssl: { ...tls } }),
  ...(sasl && { sasl: { ...sasl } }),
})

const mechanisms = { 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512' } as const

/** As @platformatic/kafka takes it. It names the host in the handshake only when told to; an address is no name. */
export function platformaticSecurity({ tls, sasl }: KafkaSecurity, brokers: readonly string[]) {
  const hasNames = brokers.some((broker) => isIP(broker.slice(0, broker.lastIndexOf(':'))) === 0)
  return {
    ...(tls && { tls: { ...tls }, tlsServerName: tls.servername ?? hasNames }),
    ...(sasl && { sasl: { ...sasl, mechanism: mechanisms[sasl.mechanism] } }),
  }
}
