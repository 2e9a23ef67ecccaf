import { isRecord } from '../process/record.ts'

const acls =
  'the ACLs do not let this principal do that: "npm run acls -- check" names what is missing, "npm run acls -- apply" ' +
  'grants it (docs/kafka-security.md)'

/** How to mend what a broker answers, or what kafkajs makes of it. */
const byAnswer = new Map([
  [
    'UNKNOWN_TOPIC_OR_PARTITION',
    'the topic does not exist (yet); provision it, topics are never created by sending',
  ],
  ['TOPIC_AUTHORIZATION_FAILED', acls],
  ['GROUP_AUTHORIZATION_FAILED', acls],
  ['CLUSTER_AUTHORIZATION_FAILED', `${acls}; ACLs themselves are applied by an administrator of the cluster`],
  [
    'SASL_AUTHENTICATION_FAILED',
    'no user has this name, password and mechanism: check KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD (or its file) and ' +
      'KAFKA_SASL_MECHANISM',
  ],
  [
    'KafkaJSGroupCoordinatorNotFound',
    'either no broker coordinates the group at the moment, or the ACLs do not let this principal use it: "npm run acls -- ' +
      'check" names what is missing',
  ],
  ['UNSUPPORTED_SASL_MECHANISM', 'set KAFKA_SASL_MECHANISM to one that the listener offers'],
  [
    'ILLEGAL_SASL_STATE',
    'this listener takes no user and password: set KAFKA_SECURITY_PROTOCOL to SSL or PLAINTEXT, or KAFKA_BROKERS to a ' +
      'listener that does',
  ],
  ['SECURITY_DISABLED', 'the brokers have no authorizer; set authorizer.class.name in their configuration'],
])

const unknownCa =
  'the brokers’ certificate is signed by a CA that is not known here; set KAFKA_TLS_CA to that CA’s certificate'
const otherProtocol =
  'brokers close connections like this when they stop, or when the listener at the port in KAFKA_BROKERS expects another ' +
  'protocol than KAFKA_SECURITY_PROTOCOL says, or a certificate (KAFKA_TLS_CERTIFICATE) from a CA that it trusts'

/** How to mend what the connection itself failed with. */
const byCode = new Map([
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', unknownCa],
  ['UNABLE_TO_GET_ISSUER_CERT', unknownCa],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', unknownCa],
  ['SELF_SIGNED_CERT_IN_CHAIN', unknownCa],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', unknownCa],
  ['CERT_SIGNATURE_FAILURE', unknownCa],
  ['CERT_HAS_EXPIRED', 'the brokers’ certificate, or that of their CA, has ended; renew it'],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'use the name that is in the certificate in KAFKA_BROKERS and in advertised.listeners, or set KAFKA_TLS_SERVER_NAME to it',
  ],
  ['ERR_SSL_WRONG_VERSION_NUMBER', otherProtocol],
  ['ECONNRESET', otherProtocol],
  ['KafkaJSConnectionClosedError', otherProtocol],
  ['PLT_KFK_NETWORK', otherProtocol],
])

const refusedCertificate =
  'the broker refuses this client’s certificate, or misses one; set KAFKA_TLS_CERTIFICATE and KAFKA_TLS_KEY to a pair ' +
  'signed by a CA that it trusts'

/** What went wrong, in one line, and how to mend it where that is known. `type` is the broker's or the class's name. */
export function explain(error: unknown, type: string): { text: string; advice: string | undefined } {
  const answer = byAnswer.get(type)
  const innermost = innermostOf(error)
  const message = innermost instanceof Error ? innermost.message : String(innermost)
  const code = isRecord(innermost) && typeof innermost.code === 'string' ? innermost.code : type
  if (answer !== undefined) return { text: oneLine(message), advice: answer }
  // What OpenSSL says besides is the place in its sources.
  if (code.startsWith('ERR_SSL_') && code.includes('_ALERT_'))
    return { text: `TLS alert ${code.slice(code.indexOf('_ALERT_') + 7)}`, advice: refusedCertificate }
  return { text: oneLine(message), advice: byCode.get(code) ?? byCode.get(type) }
}

/** Libraries wrap the reason once for each retry loop and list, the outermost of which only says "failed". */
function innermostOf(error: unknown): unknown {
  let at = error
  for (;;) {
    const inner = isRecord(at) && Array.isArray(at.errors) && at.errors.length > 0 ? at.errors[0] : undefined
    const next: unknown = at instanceof Error && at.cause instanceof Error ? at.cause : inner
    if (next === undefined) return at
    at = next
  }
}

const oneLine = (text: string): string => text.trim().replace(/\s*\n\s*/g, ' ')
