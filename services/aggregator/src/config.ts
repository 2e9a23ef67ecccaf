import {
  clickHouseSettings,
  hostSetting,
  kafkaSettings,
  lifecycleSettings,
  logSettings,
  portSetting,
  postgresSettings,
  prefixSettings,
  registrySettings,
  usageLogSettings,
} from '@tidemark/infra/process/settings.ts'
import { type Static, Type } from 'typebox'
import { financeSettings } from './finance/settings.ts'
import { checkSettings } from './ledger/check/check-settings.ts'
import { retentionSettings } from './retention/settings.ts'
import { sealingSettings } from './sealing/settings.ts'

export const configSchema = Type.Object({
  ...prefixSettings,
  ...logSettings,
  ...lifecycleSettings,
  ...kafkaSettings,
  ...usageLogSettings,
  ...registrySettings,
  ...clickHouseSettings,
  ...postgresSettings,
  ...sealingSettings,
  ...financeSettings,
  ...retentionSettings,
  ...checkSettings,
  AGGREGATOR_HOST: hostSetting(),
  AGGREGATOR_PORT: portSetting(4200),
  AGGREGATOR_STATE_DIRECTORY: Type.String({
    default: '.local/state/aggregator',
    minLength: 1,
    description:
      'Folder of the deduplication state, on a local disk. Losing it costs a rebuild from the ledger, nothing else.',
  }),
  AGGREGATOR_STATE_FILTER_BYTES: Type.Integer({
    default: 67_108_864,
    minimum: 1_048_576,
    maximum: 1_073_741_824,
    description:
      'The most memory that the filter before one partition’s deduplication state takes, 1.5 bytes for each identity of the horizon. A smaller one asks the store more often; nothing else depends on it.',
  }),
  AGGREGATOR_FETCH_MIN_BYTES: Type.Integer({
    default: 1_048_576,
    minimum: 1,
    maximum: 67_108_864,
    description: 'Bytes that a fetch waits for, so that batches grow with the load.',
  }),
  AGGREGATOR_FETCH_MAX_WAIT_MS: Type.Integer({
    default: 250,
    minimum: 1,
    maximum: 5_000,
    description: 'How long it waits for them at most: what a lone event takes longer to be visible.',
  }),
  AGGREGATOR_FETCH_MAX_BYTES_PER_PARTITION: Type.Integer({
    default: 4_194_304,
    minimum: 1_048_576,
    maximum: 67_108_864,
    description:
      'Largest batch of a partition, in bytes: larger ones insert faster and take more memory, for each partition.',
  }),
  AGGREGATOR_SESSION_TIMEOUT_MS: Type.Integer({
    default: 30_000,
    minimum: 6_000,
    maximum: 300_000,
    description: 'Silent for so long, and another process of the group takes the partitions over.',
  }),
  AGGREGATOR_INSERT_TIMEOUT_MS: Type.Integer({
    default: 10_000,
    minimum: 100,
    maximum: 300_000,
    description: 'How long one insert may take before it is tried again.',
  }),
  AGGREGATOR_WRITE_TIMEOUT_MS: Type.Integer({
    default: 25_000,
    minimum: 100,
    maximum: 300_000,
    description:
      'How long a step of a batch is tried again before the process ends and replays; below the session timeout.',
  }),
  AGGREGATOR_WATERMARK_INTERVAL_MS: Type.Integer({
    default: 250,
    minimum: 100,
    maximum: 60_000,
    description:
      'Time between two watermarks, one insert for all partitions: what an event takes longer to be seen, and a close to begin.',
  }),
})

export type AggregatorConfig = Static<typeof configSchema>
