import { KafkaJSProtocolError } from 'kafkajs'
import { Failure } from '../process/failure.ts'

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
])

/**
 * The broker's own name for an error (`MESSAGE_TOO_LARGE`), or kafkajs' class name where the broker said nothing.
 * kafkajs wraps an error once per retry loop, so the name is looked for all along the chain of causes.
 */
export function kafkaErrorType(error: unknown): string {
  let name = 'unknown'
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof KafkaJSProtocolError) return at.type
    name = at.name
  }
  return name
}

/** True where the broker answered: its connection is sound, whatever it thinks of the request. */
export function isBrokerAnswer(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof KafkaJSProtocolError) return true
  return false
}

/** Turns what kafkajs throws into a Failure; `doing` completes the sentence "Kafka failed while …". */
export function asKafkaFailure(error: unknown, doing: string): Failure {
  if (error instanceof Failure) return error
  const type = kafkaErrorType(error)
  const text = error instanceof Error ? error.message : String(error)
  const message = `Kafka failed while ${doing}: ${text} (${type})`
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') {
    const advice = 'the topic does not exist (yet); provision it, topics are never created by sending'
    return new Failure(`${message}; ${advice}`, { code: 'topic_unknown', retryable: true, cause: error })
  }
  const refusal = refusals.get(type)
  if (refusal !== undefined) return new Failure(message, { code: refusal, retryable: false, cause: error })
  return new Failure(message, { code: 'kafka_unavailable', retryable: true, cause: error })
}
