-- Up to where retention has removed raw events, sealed hours and all that speaks of them, but for the ledger and its copy
-- by identity; the latest row counts.
CREATE TABLE IF NOT EXISTS ${database}.usage_expired
(
    before DateTime('UTC'),
    recorded_at DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY before;
