import { ProtocolError, ResponseError } from '@platformatic/kafka'
import { Type } from 'typebox'
import { Value } from 'typebox/value'

/** What the library keeps of a Produce answer that refuses some partitions; it types it as unknown. */
const produceAnswer = Type.Object({
  responses: Type.Array(
    Type.Object({
      partitionResponses: Type.Array(Type.Object({ index: Type.Integer(), errorCode: Type.Integer() })),
    }),
  ),
})
/** The answers of the brokers that refused nothing, beside those of the others. */
const produced = Type.Object({ offsets: Type.Array(Type.Object({ partition: Type.Integer() })) })

/** Partitions that took their messages although the send as a whole failed. A send has one topic. */
export function acknowledgedPartitions(error: unknown): Set<number> {
  const partitions = new Set<number>()
  const visit = (each: unknown): void => {
    if (!(each instanceof Error)) return
    if ('produced' in each && Value.Check(produced, each.produced))
      for (const { partition } of each.produced.offsets) partitions.add(partition)
    if (each instanceof ResponseError && Value.Check(produceAnswer, each.response))
      for (const { partitionResponses } of each.response.responses)
        for (const { index, errorCode } of partitionResponses) if (errorCode === 0) partitions.add(index)
    if (each instanceof AggregateError) for (const inner of each.errors) visit(inner)
  }
  visit(error)
  return partitions
}

/** Whether a broker said that it does not lead a partition (any more): the next attempt must ask who does. */
export function hasStaleMetadata(error: unknown): boolean {
  if (error instanceof ProtocolError) return error.hasStaleMetadata === true
  return error instanceof AggregateError && error.errors.some(hasStaleMetadata)
}
