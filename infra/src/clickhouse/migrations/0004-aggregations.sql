-- What a sealed hour holds for the aggregations beyond count, sum, min and max. Levels, their changes and moments are whole
-- numbers of 10^-9. Rows from before were sealed by an earlier rollup version and are not read for these.
ALTER TABLE ${database}.usage_hourly
    ADD COLUMN IF NOT EXISTS unique_hashes Array(UInt128) COMMENT 'unique count: the 128-bit hashes of the values, each once, sorted',
    ADD COLUMN IF NOT EXISTS latest_time DateTime64(6, 'UTC') COMMENT 'latest: of the value that comes last by time, source and id',
    ADD COLUMN IF NOT EXISTS latest_source String,
    ADD COLUMN IF NOT EXISTS latest_id String,
    ADD COLUMN IF NOT EXISTS latest_value Nullable(Decimal(38, 9)),
    ADD COLUMN IF NOT EXISTS first_time DateTime64(6, 'UTC') COMMENT 'time-weighted: of the first value; the hour’s own segment, without what is carried over',
    ADD COLUMN IF NOT EXISTS first_level Int256 COMMENT 'the first value where values are levels',
    ADD COLUMN IF NOT EXISTS last_level Int256 COMMENT 'the last value where values are levels',
    ADD COLUMN IF NOT EXISTS moment Int256 COMMENT 'sum of each change of the level times its instant in microseconds since 1970; without the first one where values are levels',
    ADD COLUMN IF NOT EXISTS peak Nullable(Int256) COMMENT 'the highest level from the first value on; above what is carried over where values are changes';
