import kafkajs, { type KafkaJSProtocolError } from 'kafkajs'
import { Failure } from '../process/failure.ts'

// By way of the default export: Node finds only the first names of this CommonJS module, and none of its errors.
const { KafkaJSAggregateError, KafkaJSProtocolError: ProtocolError } = kafkajs

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

/** The broker's answer inside an error: kafkajs wraps one per retry loop, and collects those of several topics. */
function brokerAnswer(error: unknown): KafkaJSProtocolError | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof ProtocolError) return at
    if (at instanceof KafkaJSAggregateError) {
      const answers = at.errors.filter((each) => each instanceof ProtocolError)
      // A topic that exists already is not what went wrong with the others.
      return answers.find(({ type }) => type !== 'TOPIC_ALREADY_EXISTS') ?? answers[0]
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
export const isBrokerAnswer = (error: unknown): boolean => brokerAnswer(error) !== undefined

/** Turns what kafkajs throws into a Failure; `doing` completes the sentence "Kafka failed while …". */
export function asKafkaFailure(error: unknown, doing: string): Failure {
  if (error instanceof Failure) return error
  const type = kafkaErrorType(error)
  const text = brokerAnswer(error)?.message ?? (error instanceof Error ? error.message : String(error))
  const message = `Kafka failed while ${doing}: ${text} (${type})`
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') {
    const advice = 'the topic does not exist (yet); provision it, topics are never created by sending'
    return new Failure(`${message}; ${advice}`, { code: 'topic_unknown', retryable: true, cause: error })
  }
  const refusal = refusals.get(type)
  if (refusal !== undefined) return new Failure(message, { code: refusal, retryable: false, cause: error })
  return new Failure(message, { code: 'kafka_unavailable', retryable: true, cause: error })
}
