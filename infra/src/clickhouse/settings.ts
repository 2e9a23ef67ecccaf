import type { ClickHouseSettings } from '@clickhouse/client'

/** For everything: what rows look like as JSON, and that a query ends with its caller. */
export const commonSettings: ClickHouseSettings = {
  // Floats would lose digits of both.
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_decimals: 1,
  date_time_input_format: 'best_effort',
  // `2026-01-31T23:59:59.123456Z`, the same in every store.
  date_time_output_format: 'iso',
  cancel_http_readonly_queries_on_client_close: 1,
}

/** The answer comes when all is done, so that its status tells the outcome and not only the beginning. */
export const completeSettings: ClickHouseSettings = { ...commonSettings, wait_end_of_query: 1 }

/**
 * For inserts: acknowledged when written, and never taken for a duplicate. A false positive there would lose usage,
 * whereas a duplicate collapses. The defaults of these changed between releases, so each is said.
 */
export const insertSettings: ClickHouseSettings = {
  ...completeSettings,
  async_insert: 0,
  insert_deduplicate: 0,
  deduplicate_insert: 'disable',
  deduplicate_insert_select: 'disable',
  deduplicate_blocks_in_dependent_materialized_views: 0,
  // A backfill may bring more months in one batch than the default of 100 allows, and is then refused for ever.
  max_partitions_per_insert_block: '0',
}

/**
 * For rows that come in blocks: looking for two of one key among them takes the server a quarter of the time of an insert.
 * Where there are such, they collapse when parts are merged, and for FINAL, as those of different inserts do.
 */
export const blockSettings: ClickHouseSettings = { ...insertSettings, optimize_on_insert: 0 }
