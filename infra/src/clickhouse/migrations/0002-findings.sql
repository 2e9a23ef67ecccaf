-- History of comparisons. A finding judged again (another side came late) is a new row.
CREATE TABLE IF NOT EXISTS ${database}.reconciliation_findings
(
    tenant LowCardinality(String),
    kind LowCardinality(String),
    key String,
    period_start DateTime64(6, 'UTC'),
    period_end DateTime64(6, 'UTC'),
    judged_at DateTime64(6, 'UTC'),
    cause LowCardinality(String),
    rule LowCardinality(String),
    old_amount Nullable(Decimal(38, 9)),
    new_amount Nullable(Decimal(38, 9)),
    difference Decimal(38, 9),
    currency LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, kind, key, period_start, judged_at);
