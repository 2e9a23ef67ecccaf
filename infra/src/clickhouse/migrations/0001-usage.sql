-- Keys of these tables cannot change later; columns may be added. Every row is a pure function of the log (rule 3), so
-- that a row written again collapses into itself. Nothing has a default that depends on when it is written.

-- Each accepted event once. What the offset makes unique stays out of the key: FINAL reads every key column.
CREATE TABLE IF NOT EXISTS ${database}.usage_events
(
    tenant LowCardinality(String),
    type LowCardinality(String),
    subject String,
    time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    log UInt16,
    partition UInt16,
    offset UInt64 CODEC(Delta, ZSTD(1)),
    source LowCardinality(String),
    id String,
    accepted_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    payload_hash FixedString(16),
    data String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (tenant, type, toDate(time), subject, time, log, partition, offset);

-- Which offset supersedes which: a read at a cut leaves out what is superseded up to that cut.
CREATE TABLE IF NOT EXISTS ${database}.usage_corrections
(
    tenant LowCardinality(String),
    type LowCardinality(String),
    superseded_hour DateTime('UTC'),
    superseded_log UInt16,
    superseded_partition UInt16,
    superseded_offset UInt64,
    log UInt16,
    partition UInt16,
    offset UInt64,
    action LowCardinality(String),
    revision UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, type, superseded_hour, superseded_log, superseded_partition, superseded_offset, log, partition, offset);

-- One narrow row per consumed offset. Written last of its batch: a row here says that all it stands for is there.
CREATE TABLE IF NOT EXISTS ${database}.usage_ledger
(
    log UInt16,
    partition UInt16,
    offset UInt64 CODEC(Delta, ZSTD(1)),
    verdict Enum8('accepted' = 1, 'duplicate' = 2, 'conflict' = 3, 'correction' = 4, 'rejected' = 5),
    identity FixedString(20) COMMENT 'zeros where the bytes had no identity',
    payload_hash FixedString(16),
    revision UInt32,
    first_log UInt16 COMMENT 'with first_partition and first_offset: the offset that holds the identity; its own when accepted',
    first_partition UInt16,
    first_offset UInt64,
    append_time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    tenant LowCardinality(String),
    type LowCardinality(String),
    hour DateTime('UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (log, partition, offset);

-- Two narrow copies for look-ups, written before the ledger.
CREATE TABLE IF NOT EXISTS ${database}.usage_ledger_by_identity
(
    identity FixedString(20),
    log UInt16,
    partition UInt16,
    offset UInt64,
    verdict Enum8('accepted' = 1, 'duplicate' = 2, 'conflict' = 3, 'correction' = 4, 'rejected' = 5),
    payload_hash FixedString(16),
    revision UInt32,
    append_time DateTime64(6, 'UTC'),
    hour DateTime('UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (identity, log, partition, offset)
SETTINGS index_granularity = 512;

CREATE TABLE IF NOT EXISTS ${database}.usage_ledger_by_cell
(
    tenant LowCardinality(String),
    type LowCardinality(String),
    hour DateTime('UTC'),
    log UInt16,
    partition UInt16,
    offset UInt64,
    verdict Enum8('accepted' = 1, 'duplicate' = 2, 'conflict' = 3, 'correction' = 4, 'rejected' = 5),
    payload_hash FixedString(16)
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, type, hour, log, partition, offset);

-- Ranges that are truly gone, recorded by an operator with the reason; both ends included.
CREATE TABLE IF NOT EXISTS ${database}.usage_lost
(
    log UInt16,
    partition UInt16,
    first_offset UInt64,
    last_offset UInt64,
    reason String,
    recorded_by String,
    recorded_at DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (log, partition, first_offset, last_offset);

-- Sealed hours: absolute values, recomputed whole under each seal version.
CREATE TABLE IF NOT EXISTS ${database}.usage_hourly
(
    tenant LowCardinality(String),
    meter_key LowCardinality(String),
    meter_version UInt32,
    subject String,
    hour DateTime('UTC'),
    dimensions Array(String) COMMENT 'values in the order of the meter’s dimension names, sorted',
    seal_version UInt256 COMMENT 'rollup code version, sum of the cut’s offsets, hash of the cut: 16, 64 and 128 bits',
    event_count UInt64,
    event_hash UInt128,
    unreadable UInt64 COMMENT 'events whose value is no quantity: counted, never taken as zero',
    sum Decimal(76, 9),
    min Nullable(Decimal(38, 9)),
    max Nullable(Decimal(38, 9))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (tenant, meter_key, meter_version, subject, hour, dimensions, seal_version);

-- Published after the rows of its seal: readers take exactly the version named here, and no seal means raw.
CREATE TABLE IF NOT EXISTS ${database}.usage_seals
(
    tenant LowCardinality(String),
    meter_key LowCardinality(String),
    meter_version UInt32,
    hour DateTime('UTC'),
    seal_version UInt256,
    cut Array(Tuple(log UInt16, partition UInt16, offset UInt64)),
    event_count UInt64 COMMENT 'all events of the cell',
    event_hash UInt128,
    matched_count UInt64 COMMENT 'those that the meter counts',
    matched_hash UInt128
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, meter_key, meter_version, hour, seal_version);

-- A completed sealing pass: its cut, and the cells that it left dirty (open hours among them).
CREATE TABLE IF NOT EXISTS ${database}.usage_seal_passes
(
    seal_version UInt256,
    cut Array(Tuple(log UInt16, partition UInt16, offset UInt64)),
    meters Array(Tuple(tenant String, key String, version UInt32)),
    dirty Array(Tuple(tenant String, type String, hour DateTime('UTC')))
)
ENGINE = ReplacingMergeTree
ORDER BY (seal_version);

-- Read as the maximum of each column. Two maxima of one key may stand in two rows, of which a ReplacingMergeTree would
-- keep one: this one table aggregates (docs/decisions/0007).
CREATE TABLE IF NOT EXISTS ${database}.usage_watermarks
(
    topic LowCardinality(String),
    log UInt16,
    partition UInt16,
    next_offset SimpleAggregateFunction(max, UInt64) COMMENT 'every offset below it is processed',
    complete_until SimpleAggregateFunction(max, DateTime64(6, 'UTC')) COMMENT 'all acknowledged before this instant is in',
    relayed_before SimpleAggregateFunction(max, DateTime64(6, 'UTC')) COMMENT 'relay rows: all of it stands on usage.events, acknowledged before this instant; else 1970'
)
ENGINE = AggregatingMergeTree
ORDER BY (topic, log, partition);
