import { ProtocolError, UserError } from '@platformatic/kafka'
import kafkajs from 'kafkajs'
import { Failure } from '../process/failure.ts'
import { explain } from './kafka-advice.ts'

// By way of the default export: Node finds only the first names of this CommonJS module, and none of its errors.
const { KafkaJSProtocolError, KafkaJSSASLAuthenticationError } = kafkajs

/** Codes after which the same request can never succeed; everything else may be tried again. */
const refusals = new Map([
  ['MESSAGE_TOO_LARGE', 'record_too_large'],
  ['RECORD_LIST_TOO_LARGE', 'record_too_large'],
  ['INVALID_TOPIC_EXCEPTION', 'topic_invalid'],
  ['INVALID_REPLICATION_FACTOR', 'topic_invalid'],
  ['INVALID_PARTITIONS', 'topic_invalid'],
  ['INVALID_CONFIG', 'topic_invalid'],
  ['TOPIC_AUTHORIZATION_FAILED', 'kafka_refused'],
  ['GROUP_AUTHORIZATION_FAILED', 'kafka_refused'],
  ['CLUSTER_AUTHORIZATION_FAILED', 'kafka_refused'],
  ['SASL_AUTHENTICATION_FAILED', 'kafka_refused'],
  ['UNSUPPORTED_SASL_MECHANISM', 'kafka_refused'],
  ['ILLEGAL_SASL_STATE', 'kafka_refused'],
  ['SECURITY_DISABLED', 'kafka_refused'],
])

/** Answers to whoever opens a connection: it is of no use afterwards. */
const openingAnswers = new Set([
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
])

type BrokerAnswer = { readonly type: string; readonly message: string }

/** The broker's answer inside an error: libraries wrap one per retry loop, and collect those of several topics. */
function brokerAnswer(error: unknown): BrokerAnswer | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof KafkaJSProtocolError) return at
    if (at instanceof KafkaJSSASLAuthenticationError)
      return { type: 'SASL_AUTHENTICATION_FAILED', message: at.message }
    if (at instanceof ProtocolError)
      return { type: String(at.apiId), message: String(at.serverErrorMessage ?? at.message) }
    // Every option is ours and sound; what is left for a producer to call the user's mistake is a topic that is not there.
    if (at === error && at instanceof UserError)
      return { type: 'UNKNOWN_TOPIC_OR_PARTITION', message: at.message }
    if (at instanceof Error && 'errors' in at && Array.isArray(at.errors)) {
      const answers = at.errors.map(brokerAnswer).filter((answer) => answer !== undefined)
      // A topic that exists already is not what went wrong with the others.
      const found = answers.find(({ type }) => type !== 'TOPIC_ALREADY_EXISTS') ?? answers[0]
      if (found !== undefined) return found
    }
  }
  return undefined
}

/** The broker's own name for an error (`MESSAGE_TOO_LARGE`), or kafkajs' class name where the broker said nothing. */
export function kafkaErrorType(error: unknown): string {
  const answer = brokerAnswer(error)
  if (answer !== undefined) return answer.type
  let name = 'unknown'
  for (let at = error; at instanceof Error; at = at.cause) name = at.name
  return name
}

/** True where the broker answered: its connection is sound, whatever it thinks of the request. */
export function isBrokerAnswer(error: unknown): boolean {
  const answer = brokerAnswer(error)
  return answer !== undefined && !openingAnswers.has(answer.type)
}

/** Turns what kafkajs throws into a Failure; `doing` completes the sentence "Kafka failed while …". */
export function asKafkaFailure(error: unknown, doing: string): Failure {
  if (error instanceof Failure) return error
  const type = kafkaErrorType(error)
  const { text, advice } = explain(error, type)
  const what = `Kafka failed while ${doing}: ${brokerAnswer(error)?.message ?? text} (${type})`
  const message = advice === undefined ? what : `${what}; ${advice}`
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION')
    return new Failure(message, { code: 'topic_unknown', retryable: true, cause: error })
  const refusal = refusals.get(type)
  if (refusal !== undefined) return new Failure(message, { code: refusal, retryable: false, cause: error })
  return new Failure(message, { code: 'kafka_unavailable', retryable: true, cause: error })
}
